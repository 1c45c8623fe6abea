/** `p2c audit`: what an engineer reads before the window. Read-only. */
import { ExitCode, usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import { storeRoot } from '../oci/root.ts';
import { AUDIT_STAGES, audit } from '../pipeline/audit.ts';
import { HazardPaths } from '../pipeline/hazard-paths.ts';
import type { SurveyRequest } from '../pipeline/request.ts';
import { type ByteString, byteStringFromText } from '../printable.ts';
import { jsonPieces } from '../report/long-json.ts';
import { surveyJson } from '../report/survey-json.ts';
import { describeSurvey, type SurveyReport } from '../report/survey-report.ts';
import { formatBytes } from '../report/units.ts';
import { parseTarget } from '../ssh/target.ts';
import { refuseBatchOptions, refuseOwnPort } from './batch-only.ts';
import { type CaptureOptions, profilesFrom, rulesFrom, withCaptureOptions } from './capture-options.ts';
import { defineVerb, type Typed } from './command.ts';
import { requireConnection } from './connection-check.ts';
import { type ConnectionOptions, connectOptions, withConnectionOptions } from './connection-options.ts';
import { atAnyTime, runFleet, type Scene } from './fleet.ts';
import { type FleetOptions, withFleetOptions } from './fleet-options.ts';
import { hostConnectOptions } from './host-connection.ts';
import { HostMistakes } from './host-mistakes.ts';
import { interruptible } from './interrupt.ts';
import { profilesOfHosts } from './inventory-mistakes.ts';
import { chosenHosts } from './inventory-options.ts';
import { printPieces } from './print-pieces.ts';
import { terminalWidth, withShow } from './show.ts';

export const verb = defineVerb({
  name: 'audit',
  usage: '[options] TARGET',
  summary: 'show mounts, duplicate entries, sizes and what would be left out, and why (read-only)',
  examples: [
    ['p2c audit root@old.example', 'audit one server'],
    ["p2c audit root@old.example --exclude '/srv/backup/**' --json", 'try a rule, and print JSON'],
    ['p2c audit root@old.example --why /root/.bashrc', 'ask what would become of one path'],
    ['p2c audit -i fleet.yaml', 'audit every host of an inventory'],
  ],
  options: (parser) =>
    withFleetOptions(withConnectionOptions(withCaptureOptions(parser)))
      .option('why', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        describe: 'say what would become of this path, and which rule says so (repeatable)',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run(options, words, typed) {
    if (options.inventory !== undefined) return auditFleet(options.inventory, options, words, typed);
    refuseBatchOptions(typed.names);
    const target = words[0];
    if (target === undefined || words.length > 1) {
      throw usageError(words.length > 1 ? `one target is expected, not ${words.length}` : 'no target is named', {
        code: 'usage',
        hint: "'p2c audit root@HOST', or '-i FILE' for an inventory",
      });
    }
    const request: Omit<SurveyRequest, 'connect'> = {
      target: parseTarget(target, { port: options.port }),
      ...profilesFrom(options.profile),
      rules: rulesFrom('command line', options.exclude, options.include),
      sparse: options.sparse,
      why: (options.why ?? []).map(whyPath),
    };
    await requireConnection(options);
    const report = await interruptible(async (signal) => {
      await using hazards = options.json ? await HazardPaths.create() : undefined;
      const connect = connectOptions(options, signal);
      const found = await withShow(options, AUDIT_STAGES, (show) => audit({ ...request, hazards, connect }, show));
      if (hazards === undefined) process.stdout.write(`${describeSurvey(found, terminalWidth())}\n`);
      else await printPieces(jsonPieces(surveyJson(found, (kind) => hazards.batches(kind))), signal);
      return found;
    });
    return request.why === undefined || request.why.length === 0 ? exitCodeOf(report) : ExitCode.done;
  },
});

/** As the listing has it: absolute, without a slash at its end, `//` and `/./` taken out. */
function whyPath(text: string): ByteString {
  const wrong = (what: string, hint: string): Error => usageError(`--why '${text}' ${what}`, { code: 'usage', hint });
  if (!text.startsWith('/') || text.includes('\0')) throw wrong('is no absolute path', "write '/etc/passwd'");
  // What is no UTF-8 on the command line reaches a program in Node.js as this character.
  if (text.includes('\ufffd')) throw wrong('is no UTF-8', "write such bytes as p2c does: '/opt/caf\\xe9'");
  const components = text.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw wrong("holds '..'", 'write the path that it leads to');
  return byteStringFromText(`/${components.join('/')}`);
}

type Options = ConnectionOptions & CaptureOptions & FleetOptions & { json: boolean; why?: string[] | undefined };

async function auditFleet(
  file: string,
  options: Options,
  patterns: readonly string[],
  { argv, names }: Typed,
): Promise<ExitCode> {
  refuseOwnPort(names);
  if (options.why !== undefined) {
    throw usageError('--why asks about one server', { code: 'usage', hint: 'name it in the place of -i FILE' });
  }
  const chosen = atAnyTime(await chosenHosts(file, patterns, options));
  const mistakes = new HostMistakes();
  const profiles = await profilesOfHosts(chosen.hosts, options.profile, mistakes);
  mistakes.throwAny();
  const rules = rulesFrom('command line', options.exclude, options.include);
  const auditHost = async (host: FleetHost, { show, signal, aside }: Scene): Promise<SurveyReport> => {
    const own = profiles.get(host);
    if (own === undefined) throw new Error(`no profiles were looked up for ${host.name}`);
    return audit(
      {
        target: host.target,
        connect: hostConnectOptions(host, options, signal, aside),
        ...own,
        sparse: options.sparse,
        rules: [...rules, ...rulesFrom('inventory', host.exclude, host.include)],
      },
      show,
    );
  };
  return runFleet(chosen, options, {
    name: 'audit',
    argv,
    root: storeRoot(),
    image: () => null,
    work: auditHost,
    exitCode: exitCodeOf,
    columns: ['ENTRIES', 'BYTES', 'DUPLICATES'],
    row: (report) => [
      report.listing.entries.toLocaleString('en-US'),
      formatBytes(report.capture.bytes),
      String(report.duplicates.total),
    ],
  });
}

/** Duplicates are what an audit is for; where it finds none, places that could not be looked at make its answer incomplete. */
function exitCodeOf(report: SurveyReport): ExitCode {
  if (report.duplicates.total > 0) return ExitCode.differences;
  return report.listing.problems.length > 0 ? ExitCode.blindSpots : ExitCode.done;
}
