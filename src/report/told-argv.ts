/**
 * A run's command line as others see it. The journal, which root alone reads, keeps all words, for `--resume` runs the same
 * commands; what is printed and reported goes to monitoring, tickets and logs, and commands often hold passwords and tokens.
 */
import type { RunEvent } from './events/schema.ts';
import type { RunRecord } from './run-record.ts';

/** Stands for a command. */
const LEFT_OUT = '[command]';
/** Options whose value is run by a shell, as yargs takes them: `--batch-pre`, `--batchPre`. */
const COMMAND = /^--(?:batch-?)?(?:pre|post|fail)$|^--(?:become-?)?password-?command$/i;

export function toldEvent(event: RunEvent): RunEvent {
  return event.event === 'run-started' && event.argv !== undefined ? { ...event, argv: toldArgv(event.argv) } : event;
}

export function toldRun(run: RunRecord): RunRecord {
  return { ...run, argv: toldArgv(run.argv) };
}

export function toldArgv(argv: readonly string[]): string[] {
  return argv.map((word, at) => {
    if (COMMAND.test(argv[at - 1] ?? '')) return LEFT_OUT;
    const equals = word.indexOf('=');
    const option = word.slice(0, Math.max(0, equals));
    return COMMAND.test(option) ? `${option}=${LEFT_OUT}` : word;
  });
}
