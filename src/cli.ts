/** Entry of p2c: finds the verb, parses its options, runs it, and ends the process with its exit code. */
import { basename } from 'node:path';
import type { Argv } from 'yargs';
import type { RunnableVerb } from './commands/command.ts';
import { VERBS, type VerbEntry } from './commands/index.ts';
import { lostOutput, watchOutputs } from './commands/outputs.ts';
import { describeError, ExitCode, errorRecord, P2cError, usageError } from './errors.ts';
import { version } from './version.ts';

/** @param group the first word of verbs that have two: those alone. */
function overview(group?: string): string {
  const verbs = VERBS.filter(({ name, hidden }) => !hidden && (group === undefined || name.startsWith(`${group} `)));
  const width = Math.max(...verbs.map(({ name }) => name.length)) + 2;
  const rows = verbs.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return [
    'p2c turns a running Linux server into a container image and boots it.',
    '',
    `Usage: p2c ${group === undefined ? 'VERB' : `${group} VERB`} [options]`,
    '',
    ...rows,
    '',
    "'p2c VERB --help' explains a verb, with examples. Exit codes: 0 done; 1 failed; 2 wrong usage or input;",
    '3 done, but with blind spots; 4 differences found; 130 interrupted.',
  ].join('\n');
}

/** The verb of the words, longest name first, so that `image inspect` wins over `image`. */
function findVerb(argv: readonly string[]): { entry: VerbEntry; rest: string[] } | undefined {
  for (const count of [2, 1]) {
    const name = argv.slice(0, count).join(' ');
    const entry = VERBS.find((verb) => verb.name === name);
    if (entry !== undefined) return { entry, rest: argv.slice(count) };
  }
  return undefined;
}

/** yargs is loaded for those that have options: the process that looks after a container has none, and is waited for. */
async function parserFor(verb: RunnableVerb): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  const { checkGivenOptions } = await import('./commands/given-options.ts');
  return yargs([])
    .scriptName('p2c')
    .usage(`Usage: p2c ${verb.name} ${verb.usage}\n\n${verb.summary}`)
    .parserConfiguration({
      'halt-at-non-option': verb.wrapsCommand,
      'duplicate-arguments-array': true,
      'boolean-negation': true,
      'camel-case-expansion': true,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'populate--': false,
    })
    .strictOptions()
    .check(checkGivenOptions)
    .version(false)
    .help('help')
    .alias('help', verb.wrapsCommand ? [] : ['h'])
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      if (error instanceof Error && error.name !== 'YError') throw error;
      throw usageError(asTyped(message), { code: 'usage', hint: `see 'p2c ${verb.name} --help'` });
    });
}

/** yargs names an option that it does not know in each form that it makes of it. */
function asTyped(message: string): string {
  const names = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(', ');
  if (names === undefined) return message;
  const words = process.argv.slice(2).map((word) => word.split('=')[0]);
  const dashed = names.map((name) => (name.length === 1 ? `-${name}` : `--${name}`));
  const typed = dashed.filter((name) => words.includes(name) || words.includes(name.replace(/^--/, '--no-')));
  const told = [...new Set(typed.length === 0 ? dashed : typed)];
  return `there is no option ${told.join(', ')}`;
}

async function main(argv: readonly string[]): Promise<number> {
  const first = argv[0];
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(`${overview()}\n`);
    return first === undefined ? ExitCode.usage : ExitCode.done;
  }
  if (first === '--version') {
    process.stdout.write(`p2c ${version()}\n`);
    return ExitCode.done;
  }
  const found = findVerb(argv);
  if (found === undefined) return withoutVerb(first, argv[1]);
  if (found.entry.starts && found.rest.length > 0 && !found.rest.includes('--help') && process.getuid?.() === 0) {
    const { beginMonitor } = await import('./runtime/monitor-process.ts');
    beginMonitor();
  }
  const verb = await found.entry.load();
  const parser = (): Promise<Argv> => parserFor(verb);
  if (asksForHelp(verb, found.rest)) {
    process.stdout.write(`${await verb.help(parser)}\n\n${examplesOf(verb)}\n`);
    return ExitCode.done;
  }
  const call = async (): Promise<number> => {
    if (process.getuid?.() !== 0) {
      const { goesInside, runInside } = await import('./commands/inside.ts');
      if (goesInside(verb.name)) return runInside(argv);
    }
    return verb.call(parser, found.rest);
  };
  if (!verb.wrapsCommand) return call();
  // All other codes are the wrapped command's own, so a script can tell who failed.
  return call().catch((error: unknown) => {
    const code = report(error, []);
    return code === ExitCode.commandUnusable || code === ExitCode.commandMissing ? code : FAILED_BEFORE_COMMAND;
  });
}

/** A line each, however long: yargs would break them, and then they cannot be copied. */
function examplesOf({ examples }: RunnableVerb): string {
  const lines = examples.flatMap(([command, meaning]) => [`  # ${meaning}`, `  ${command}`]);
  return ['Examples:', ...lines].join('\n');
}

/** Of a verb with two words, the first alone shows what there is. @throws P2cError `usage` where it begins none. */
function withoutVerb(first: string, second: string | undefined): number {
  const group = VERBS.some(({ name }) => name.startsWith(`${first} `));
  const help = second === '--help' || second === '-h';
  if (!group || (second !== undefined && !help)) {
    const name = group && second !== undefined ? `${first} ${second}` : first;
    const hint = group ? `'p2c ${first} --help' lists those of '${first}'` : "'p2c --help' lists them";
    throw usageError(`'${name}' is not a verb of p2c`, { code: 'usage', hint });
  }
  process.stdout.write(`${overview(first)}\n`);
  return help ? ExitCode.done : ExitCode.usage;
}

/** As podman and docker have it: 125 is the engine's own failure. */
const FAILED_BEFORE_COMMAND = 125;

/** Help is asked for before the first word that belongs to another program. */
function asksForHelp(verb: RunnableVerb, rest: readonly string[]): boolean {
  const end = rest.indexOf('--');
  const own = end < 0 ? rest : rest.slice(0, end);
  if (verb.wrapsCommand) return own[0] === '--help';
  return own.includes('--help') || own.includes('-h');
}

/** Errors go to standard error; under `--json`, as one object there, so that standard output stays results only. */
function report(error: unknown, argv: readonly string[]): ExitCode {
  const text = argv.includes('--json') ? JSON.stringify({ error: errorRecord(error) }) : describeError(error);
  process.stderr.write(`${text}\n`);
  return error instanceof P2cError ? error.exitCode : ExitCode.failed;
}

/** Ends the process once both outputs have taken what was written to them. */
function leave(code: number): void {
  // That something could not be written is known a moment later.
  process.stdout.write('', () => setImmediate(leaveNow, code));
}

function leaveNow(code: number): void {
  const error = lostOutput();
  // The reader of a pipe went away (`p2c images | head`): as it wanted.
  if (error !== undefined && error.code !== 'output.closed') report(error, []);
  const told = code === ExitCode.done && error !== undefined ? ExitCode.failed : code;
  process.stderr.write('', () => process.exit(told));
}

watchOutputs(() => leave(ExitCode.failed));
process.title = basename(process.argv[1] ?? 'p2c');
const argv = process.argv.slice(2);
main(argv).then(leave, (error: unknown) => leave(report(error, argv)));
