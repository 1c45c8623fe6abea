/** `p2c migrate`: a running server becomes an image. */
import type { Argv } from 'yargs';
import { ExitCode, usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/inventory.ts';
import { parseChange } from '../oci/change.ts';
import { parseReference } from '../oci/reference.ts';
import { storeRoot } from '../oci/root.ts';
import { dryRun } from '../pipeline/dry-run.ts';
import { migrate, migrationStages } from '../pipeline/migrate.ts';
import type { MigrationRequest } from '../pipeline/request.ts';
import { parseDuration } from '../profiles/quantity.ts';
import { describeMigration, exitCodeOf } from '../report/migration-report.ts';
import { describeCommands, plannedJson } from '../report/planned-commands.ts';
import { describeSurvey } from '../report/survey-report.ts';
import { formatBytes } from '../report/units.ts';
import { parseTarget } from '../ssh/target.ts';
import { type CaptureOptions, loadProfiles, rulesFrom, withCaptureOptions } from './capture-options.ts';
import { defineVerb } from './command.ts';
import { type ConnectionOptions, connectOptions, withConnectionOptions } from './connection-options.ts';
import { type FleetOptions, fleetHosts, runFleet, withFleetOptions } from './fleet.ts';
import { interruptible } from './interrupt.ts';
import { terminalWidth, withShow } from './show.ts';

interface MigrateOptions {
  tag: string | undefined;
  change: string[] | undefined;
  message: string | undefined;
  stop: boolean;
  hot: boolean;
  lease: string;
  settle: number;
  streams: number;
  'skip-unreadable': boolean;
  'dry-run': boolean;
  json: boolean;
}

type Options = MigrateOptions & CaptureOptions & ConnectionOptions & FleetOptions;

export const verb = defineVerb({
  name: 'migrate',
  usage: '[options] TARGET',
  summary: 'turn a running server into an image: connect, find, audit, stop, stream, import',
  examples: [
    ['p2c migrate root@old.example --profile nginx --tag old:latest', 'the whole way'],
    [
      "p2c migrate admin@old.example:2222 --tag old --change 'USER root' --change 'VOLUME /opt/IBM'",
      'as podman import -c',
    ],
    [
      'p2c migrate root@old.example --profile nginx --tag old --dry-run',
      'look, and print every command that would follow',
    ],
    ['p2c migrate root@old.example --profile nginx --tag old --hot', 'with nginx down only for what changed meanwhile'],
    ['p2c migrate -i fleet.yaml --concurrency 4', 'every host of an inventory'],
  ],
  options: (parser) => withMigrateOptions(withFleetOptions(withConnectionOptions(withCaptureOptions(parser)))),
  async run(options, words) {
    if (options.inventory !== undefined) return migrateFleet(options.inventory, options, words);
    const request = await requestOf(options, words);
    return interruptible(async (signal) => {
      const connected = { ...request, connect: connectOptions(options, signal) };
      return options['dry-run'] ? runDry(connected, options.json) : runOne(connected, options.json, signal);
    });
  },
});

function withMigrateOptions<Declared>(parser: Argv<Declared>): Argv<Declared & MigrateOptions> {
  return parser
    .option('tag', { alias: 't', type: 'string', requiresArg: true, describe: 'name of the image: NAME[:TAG]' })
    .option('change', {
      alias: 'c',
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: "instruction for the image's config, as podman import -c: 'USER root' (repeatable)",
    })
    .option('message', { alias: 'm', type: 'string', requiresArg: true, describe: "comment for the image's history" })
    .option('stop', {
      type: 'boolean',
      default: true,
      describe: "stop the profiles' applications while streaming (--no-stop: do not)",
    })
    .option('hot', {
      type: 'boolean',
      default: false,
      describe: 'stream while the applications run; stop them only to fetch what changed meanwhile',
    })
    .option('lease', {
      type: 'string',
      default: '2m',
      requiresArg: true,
      describe: 'how long after p2c is gone the source starts its applications by itself',
    })
    .option('settle', {
      type: 'number',
      default: 2,
      requiresArg: true,
      describe: 'rounds in which what changed while it was read is fetched again',
    })
    .option('skip-unreadable', {
      type: 'boolean',
      default: false,
      describe: 'make the image though something other than a log could not be read (exit code 3)',
    })
    .option('streams', {
      type: 'number',
      default: 2,
      requiresArg: true,
      describe: 'parts of the capture streamed at the same time',
    })
    .option('dry-run', {
      type: 'boolean',
      default: false,
      describe: 'change nothing: print what would be captured and run',
    })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' });
}

/** Everything that can be wrong with what the user wrote is found here, before a connection is made. */
async function requestOf(options: Options, words: readonly string[]): Promise<Omit<MigrationRequest, 'connect'>> {
  const target = words[0];
  if (target === undefined || words.length > 1) {
    throw usageError(words.length > 1 ? `one target is expected, not ${words.length}` : 'no target is named', {
      code: 'usage',
      hint: "'p2c migrate root@HOST --tag NAME', or '-i FILE' for an inventory",
    });
  }
  if (options.tag === undefined) {
    throw usageError('the image has no name', { code: 'usage', hint: 'give one with --tag NAME:TAG' });
  }
  return {
    ...sharedRequest(options),
    target: parseTarget(target, { port: options.port }),
    profiles: loadProfiles(options.profile),
    rules: rulesFrom('command line', options.exclude, options.include),
    reference: parseReference(options.tag),
  };
}

/** What is the same for one target and for each host of an inventory. */
function sharedRequest(
  options: Options,
): Pick<
  MigrationRequest,
  'changes' | 'message' | 'storeRoot' | 'stop' | 'hot' | 'leaseMs' | 'settle' | 'streams' | 'skipUnreadable'
> {
  return {
    changes: (options.change ?? []).map(parseChange),
    message: options.message,
    storeRoot: storeRoot(),
    stop: options.stop,
    hot: hotOf(options),
    leaseMs: leaseOf(options.lease),
    settle: roundsOf(options.settle),
    streams: streamsOf(options.streams),
    skipUnreadable: options['skip-unreadable'],
  };
}

/** Shorter than ten seconds, a lease would run out between two renewals over a slow link. */
function leaseOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds >= 10_000 && milliseconds <= 3_600_000) return milliseconds;
  throw usageError(`--lease '${text}' is not a time between 10s and 1h`, {
    code: 'usage',
    hint: 'write 30s, 2m or 10m',
  });
}

/** A hot copy is made whole by the settling after the stop: without either it would be torn. */
function hotOf({ hot, stop, settle, profile, inventory }: Options): boolean {
  if (!hot) return false;
  if (!stop)
    throw usageError('--hot and --no-stop do not go together', { code: 'usage', hint: 'leave one of them out' });
  if (settle < 1) throw usageError('--hot needs --settle 1 or more', { code: 'usage' });
  if (profile === undefined && inventory === undefined) {
    throw usageError('--hot has nothing to stop without a profile', { code: 'usage', hint: 'name one with --profile' });
  }
  return true;
}

function roundsOf(rounds: number): number {
  if (Number.isInteger(rounds) && rounds >= 0 && rounds <= 100) return rounds;
  throw usageError(`--settle ${rounds} is not a number of rounds from 0 to 100`, { code: 'usage' });
}

/** An sshd allows ten sessions on a connection (MaxSessions), and p2c needs one beside the streams. */
function streamsOf(streams: number): number {
  if (Number.isInteger(streams) && streams >= 1 && streams <= 8) return streams;
  throw usageError(`--streams ${streams} is not a number of streams from 1 to 8`, { code: 'usage' });
}

async function runOne(request: MigrationRequest, json: boolean, signal: AbortSignal): Promise<ExitCode> {
  const report = await withShow({ json }, migrationStages(request), (show) => migrate(request, show, signal));
  process.stdout.write(`${json ? JSON.stringify(report) : describeMigration(report)}\n`);
  return exitCodeOf(report);
}

async function runDry(request: MigrationRequest, json: boolean): Promise<ExitCode> {
  const { survey, commands } = await withShow({ json }, migrationStages(request), (show) => dryRun(request, show));
  if (json) process.stdout.write(`${JSON.stringify({ ...survey, commands: commands.map(plannedJson) })}\n`);
  else {
    process.stdout.write(`${describeSurvey(survey, terminalWidth())}\n\n${describeCommands(commands)}\n`);
  }
  return ExitCode.done;
}

async function migrateFleet(file: string, options: Options, patterns: readonly string[]): Promise<ExitCode> {
  if (options.tag !== undefined) {
    throw usageError("--tag names one image, and an inventory's hosts need one each", {
      code: 'usage',
      hint: "give 'tag:' in the inventory: 'legacy/{{host}}:latest'",
    });
  }
  if (options['dry-run']) {
    throw usageError('--dry-run takes one target', {
      code: 'usage',
      hint: "'p2c audit -i FILE' looks at a whole inventory",
    });
  }
  const shared = sharedRequest(options);
  const hosts = await fleetHosts(file, patterns);
  // All hosts' mistakes are found before the first host is touched.
  const requests = new Map<FleetHost, Omit<MigrationRequest, 'connect'>>();
  for (const host of hosts) requests.set(host, { ...shared, ...(await hostRequest(host, options)) });
  return runFleet(hosts, options, {
    async work(host, show, signal) {
      const request = requests.get(host);
      if (request === undefined) throw new Error(`no request was made for ${host.name}`);
      return migrate({ ...request, connect: connectOptions({ ...options, ...host.connection }, signal) }, show, signal);
    },
    exitCode: exitCodeOf,
    columns: ['IMAGE', 'ENTRIES', 'SIZE', 'DOWN', 'DIGEST'],
    row: (report) => [
      report.image.reference,
      report.stream.entries.toLocaleString('en-US'),
      formatBytes(report.image.size),
      report.stopped === null ? '-' : `${Math.round(report.stopped.milliseconds / 1000)} s`,
      report.image.digest.slice(0, 19),
    ],
  });
}

async function hostRequest(
  host: FleetHost,
  options: Options,
): Promise<Pick<MigrationRequest, 'target' | 'profiles' | 'rules' | 'reference'>> {
  if (host.tag === undefined) {
    throw usageError(`the inventory gives no tag for the host '${host.name}'`, {
      code: 'inventory.tag',
      hint: "add 'tag: legacy/{{host}}:latest' to its defaults or to the host",
    });
  }
  return {
    target: host.target,
    profiles: loadProfiles(options.profile ?? host.profiles),
    rules: [
      ...rulesFrom('command line', options.exclude, options.include),
      ...rulesFrom('inventory', host.exclude, host.include),
    ],
    reference: parseReference(host.tag),
  };
}
