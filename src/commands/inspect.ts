/** `p2c inspect`: what a server is, whether it will live in a container here, and how to bring it there. Read-only. */
import { closeSync, existsSync, fchmodSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { ExitCode, messageOf, P2cError, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { INSPECT_STAGES, type Inspected, type InspectRequest, inspect } from '../pipeline/inspect.ts';
import { listProfiles, loadProfileFile } from '../profiles/load.ts';
import { selectProfiles } from '../profiles/select.ts';
import { describeDifferences, differences, readSaved, savedText } from '../report/inspect-compare.ts';
import { describeInspection } from '../report/inspect-page.ts';
import { inspectExitCode } from '../report/inspect-report.ts';
import { statementsOf } from '../report/inspect-statements.ts';
import { parseTarget } from '../ssh/target.ts';
import { defineVerb } from './command.ts';
import { requireConnection } from './connection-check.ts';
import { type ConnectionOptions, connectOptions, withConnectionOptions } from './connection-options.ts';
import { atAnyTime, runFleet } from './fleet.ts';
import { type FleetOptions, withFleetOptions } from './fleet-options.ts';
import { hostConnectOptions } from './host-connection.ts';
import { HostMistakes } from './host-mistakes.ts';
import { interruptible } from './interrupt.ts';
import { profilesOfHosts } from './inventory-mistakes.ts';
import { chosenHosts } from './inventory-options.ts';
import { printSudoers } from './print-sudoers.ts';
import { terminalWidth, withShow } from './show.ts';

export const verb = defineVerb({
  name: 'inspect',
  usage: '[options] TARGET',
  summary: 'show what a server is, whether it will work in a container here, and a plan for it (read-only)',
  examples: [
    ['p2c inspect root@old.example', 'facts, plan and verdict on one page'],
    ['p2c inspect root@old.example --write-profile old.yaml', 'write the proposed plan as a profile to edit'],
    ['p2c inspect root@old.example --save before.json', 'keep what was found'],
    ['p2c inspect root@old.example --compare before.json', 'show what differs since; exit code 4 where anything does'],
    ['p2c inspect admin@old.example --print-sudoers', "what admin needs in the server's sudoers"],
    ['p2c inspect -i fleet.yaml', 'inspect every host of an inventory'],
  ],
  options: (parser) =>
    withFleetOptions(withConnectionOptions(parser))
      .option('profile', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        describe: "look for these applications beside the shipped ones: a profile's file (repeatable)",
      })
      .option('save', { type: 'string', requiresArg: true, describe: 'write what was found into this file' })
      .option('compare', { type: 'string', requiresArg: true, describe: 'show what differs from a saved file' })
      .option('write-profile', { type: 'string', requiresArg: true, describe: 'write the plan as a profile to edit' })
      .option('print-sudoers', {
        type: 'boolean',
        default: false,
        describe: "print the least that the server's sudoers must say for p2c, and connect to nothing",
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run(options, words, argv) {
    if (options.inventory !== undefined) return inspectFleet(options.inventory, options, words, argv);
    const target = words[0];
    if (target === undefined || words.length > 1) {
      throw usageError(words.length > 1 ? `one target is expected, not ${words.length}` : 'no target is named', {
        code: 'usage',
        hint: "'p2c inspect root@HOST', or '-i FILE' for an inventory",
      });
    }
    if (options['print-sudoers']) return printSudoers(options, target);
    const { 'write-profile': profileFile, compare, save } = options;
    if (profileFile !== undefined) refuseToOverwrite(profileFile);
    const saved = compare === undefined ? undefined : readSaved(compare);
    const request = { target: parseTarget(target, { port: options.port }), ...knowledge(options.profile) };
    await requireConnection(options);
    const inspected = await interruptible((signal) =>
      withShow(options, INSPECT_STAGES, (show) =>
        inspect({ ...request, connect: connectOptions(options, signal) }, show),
      ),
    );
    const { report } = inspected;
    if (save !== undefined) write(save, savedText(report), 'w', 0o600);
    if (profileFile !== undefined) writeProfile(profileFile, inspected.profile());
    if (saved === undefined) {
      process.stdout.write(`${options.json ? JSON.stringify(report) : describeInspection(report, terminalWidth())}\n`);
      return inspectExitCode(report);
    }
    const found = differences(saved.statements, statementsOf(report.facts));
    process.stdout.write(
      `${options.json ? JSON.stringify({ since: saved.at, differences: found }) : describeDifferences(saved, found)}\n`,
    );
    return found.length === 0 ? ExitCode.done : ExitCode.differences;
  },
});

/** The shipped profiles, and those named: what an application may be recognised by. */
function knowledge(profiles: readonly string[] | undefined): Pick<InspectRequest, 'profiles' | 'storeRoot'> {
  const own = selectProfiles(profiles ?? []);
  const shipped = listProfiles().filter(({ name }) => !own.some((profile) => profile.name === name));
  return { profiles: [...own, ...shipped], storeRoot: storeRoot() };
}

function refuseToOverwrite(file: string): void {
  if (!existsSync(file)) return;
  throw usageError(`${file} exists: what was edited in it would be lost`, {
    code: 'inspect.exists',
    hint: 'name another file, or remove this one',
  });
}

/** @throws P2cError `inspect.write`. */
function write(file: string, text: string, flag: 'w' | 'wx', mode: number): void {
  try {
    const descriptor = openSync(file, flag, mode);
    try {
      // One that was there has the mode it had, which may let others read it.
      if (flag === 'w' && fstatSync(descriptor).isFile()) fchmodSync(descriptor, mode);
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new P2cError(`${file} cannot be written: ${messageOf(cause)}`, { code: 'inspect.write', cause });
  }
}

function writeProfile(file: string, text: string): void {
  write(file, text, 'wx', 0o644);
  loadProfileFile(file);
  const name = file.includes('/') ? file : `./${file}`;
  process.stderr.write(`The plan is in ${file}: edit it, then 'p2c migrate --profile ${name} …'\n`);
}

type Options = ConnectionOptions &
  FleetOptions & {
    json: boolean;
    profile: string[] | undefined;
    save: string | undefined;
    compare: string | undefined;
    'write-profile': string | undefined;
  };

async function inspectFleet(
  file: string,
  options: Options,
  patterns: readonly string[],
  argv: readonly string[],
): Promise<ExitCode> {
  const single = (['save', 'compare', 'write-profile'] as const).find((name) => options[name] !== undefined);
  if (single !== undefined) {
    throw usageError(`--${single} is for one server`, { code: 'usage', hint: 'name it in the place of -i FILE' });
  }
  const chosen = atAnyTime(await chosenHosts(file, patterns, options));
  const mistakes = new HostMistakes();
  await profilesOfHosts(chosen.hosts, options.profile, mistakes);
  mistakes.throwAny();
  return runFleet<Inspected['report']>(chosen, options, {
    name: 'inspect',
    argv,
    root: storeRoot(),
    image: () => null,
    work: async (host, { show, signal, aside }) => {
      const connect = hostConnectOptions(host, options, signal, aside);
      const request = { target: host.target, connect, ...knowledge(options.profile ?? host.profiles) };
      return (await inspect(request, show)).report;
    },
    exitCode: inspectExitCode,
    differs: 'will not work',
    columns: ['VERDICT', 'DISTRIBUTION', 'APPLICATIONS'],
    row: ({ verdict, facts, proposal }) => [
      verdict.answer,
      facts.release.name,
      proposal.profiles
        .filter(({ running }) => running)
        .map(({ name }) => name)
        .join(' ') || '-',
    ],
  });
}
