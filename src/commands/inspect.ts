/** `p2c inspect`: what a server is, whether it will live in a container here, and how to bring it there. Read-only. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { INSPECT_STAGES, type Inspected, type InspectRequest, inspect } from '../pipeline/inspect.ts';
import { jsonText } from '../printable.ts';
import { listProfiles } from '../profiles/load.ts';
import { selectProfiles } from '../profiles/select.ts';
import { describeDifferences, differences, readSaved } from '../report/inspect-compare.ts';
import { describeInspection } from '../report/inspect-page.ts';
import { inspectExitCode } from '../report/inspect-report.ts';
import { statementsOf } from '../report/inspect-statements.ts';
import { parseTarget } from '../ssh/target.ts';
import { refuseBatchOptions, refuseOwnPort } from './batch-only.ts';
import { chosenHosts } from './chosen-hosts.ts';
import { defineVerb, type Typed } from './command.ts';
import { requireConnection } from './connection-check.ts';
import { type ConnectionOptions, connectOptions, withConnectionOptions } from './connection-options.ts';
import { atAnyTime, runFleet } from './fleet.ts';
import { type FleetOptions, withFleetOptions } from './fleet-options.ts';
import { hostConnectOptions } from './host-connection.ts';
import { HostMistakes } from './host-mistakes.ts';
import { type InspectFiles, requireInspectFiles, writeInspectFiles } from './inspect-files.ts';
import { interruptible } from './interrupt.ts';
import { profilesOfHosts } from './inventory-mistakes.ts';
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
  async run(options, words, typed) {
    if (options.inventory !== undefined) return inspectFleet(options.inventory, options, words, typed);
    refuseBatchOptions(typed.names);
    const target = words[0];
    if (target === undefined || words.length > 1) {
      throw usageError(words.length > 1 ? `one target is expected, not ${words.length}` : 'no target is named', {
        code: 'usage',
        hint: "'p2c inspect root@HOST', or '-i FILE' for an inventory",
      });
    }
    if (options['print-sudoers']) return printSudoers(options, target);
    await requireInspectFiles(options);
    const { compare } = options;
    const saved = compare === undefined ? undefined : readSaved(compare);
    const request = { target: parseTarget(target, { port: options.port }), ...knowledge(options.profile) };
    await requireConnection(options);
    const inspected = await interruptible((signal) =>
      withShow(options, INSPECT_STAGES, (show) =>
        inspect({ ...request, connect: connectOptions(options, signal) }, show),
      ),
    );
    const { report } = inspected;
    const found =
      saved === undefined
        ? undefined
        : { saved, differences: differences(saved.statements, statementsOf(report.facts)) };
    // What was found is printed in any case: a disk may be full by now.
    process.stdout.write(`${found === undefined ? pageOf(report, options.json) : comparisonOf(found, options.json)}\n`);
    writeInspectFiles(options, inspected);
    if (found === undefined) return inspectExitCode(report);
    return found.differences.length === 0 ? ExitCode.done : ExitCode.differences;
  },
});

function pageOf(report: Inspected['report'], json: boolean): string {
  return json ? jsonText(report) : describeInspection(report, terminalWidth());
}

interface Compared {
  readonly saved: ReturnType<typeof readSaved>;
  readonly differences: ReturnType<typeof differences>;
}

function comparisonOf({ saved, differences: found }: Compared, json: boolean): string {
  return json ? jsonText({ since: saved.at, differences: found }) : describeDifferences(saved, found);
}

/** The shipped profiles, and those named: what an application may be recognised by. */
function knowledge(profiles: readonly string[] | undefined): Pick<InspectRequest, 'profiles' | 'storeRoot'> {
  const own = selectProfiles(profiles ?? []);
  const shipped = listProfiles().filter(({ name }) => !own.some((profile) => profile.name === name));
  return { profiles: [...own, ...shipped], storeRoot: storeRoot() };
}

type Options = ConnectionOptions &
  FleetOptions &
  InspectFiles & {
    json: boolean;
    profile: string[] | undefined;
    compare: string | undefined;
  };

async function inspectFleet(
  file: string,
  options: Options,
  patterns: readonly string[],
  { argv, names }: Typed,
): Promise<ExitCode> {
  refuseOwnPort(names);
  const single = ['save', 'compare', 'write-profile', 'print-sudoers'].find((name) => names.has(name));
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
