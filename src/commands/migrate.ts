/** `p2c migrate`: a running server becomes an image. */
import { ExitCode, type P2cError, usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import { requireUsable } from '../fleet/usable.ts';
import { storeRoot } from '../oci/root.ts';
import { hostEstimate } from '../pipeline/disk-plan.ts';
import { dryRun } from '../pipeline/dry-run.ts';
import { migrate, migrationStages } from '../pipeline/migrate.ts';
import { promisedElsewhere } from '../pipeline/other-runs.ts';
import type { MigrationRequest } from '../pipeline/request.ts';
import { Room } from '../pipeline/room.ts';
import { runHost } from '../pipeline/run-host.ts';
import { jsonText } from '../printable.ts';
import { bootFailure } from '../report/boot-report.ts';
import { describeMigration, exitCodeOf, type MigrationReport } from '../report/migration-report.ts';
import { describeCommands, plannedJson } from '../report/planned-commands.ts';
import type { RunRecord } from '../report/run-record.ts';
import { say } from '../report/screen.ts';
import { describeSurvey } from '../report/survey-report.ts';
import { formatBytes } from '../report/units.ts';
import { PlainWaits } from '../report/waiting.ts';
import { refuseBatchOptions, refuseOwnPort } from './batch-only.ts';
import { requireBootable, requireDistinctNames } from './boot-options.ts';
import { listedHosts } from './chosen-hosts.ts';
import { defineVerb } from './command.ts';
import { requireConnection } from './connection-check.ts';
import { connectOptions } from './connection-options.ts';
import { requireFleet, runFleet } from './fleet.ts';
import { reserveOf } from './fleet-options.ts';
import { hostConnectOptions } from './host-connection.ts';
import { interruptible } from './interrupt.ts';
import { leftOutOf } from './left-out.ts';
import { migrateOptions } from './migrate-options.ts';
import { hostRequests, requestOf, tagOf } from './migrate-request.ts';
import { type Call, resumedCall } from './resume.ts';
import { capturedAt, isKept, recordedHost, withRun } from './run-plan.ts';
import { terminalWidth, withShow } from './show.ts';

export const verb = defineVerb({
  name: 'migrate',
  usage: '[options] TARGET',
  summary: 'turn a running server into an image: connect, find, audit, stop, stream, import',
  examples: [
    [
      'p2c migrate root@old.example --tag old:latest',
      'the whole way; applications that p2c knows are stopped meanwhile',
    ],
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
    ['p2c migrate root@old.example --profile nginx --tag old --boot', 'and boot it, where it sees nobody'],
    ['p2c migrate --resume', 'go on with the newest run that is not done, after whatever ended it'],
  ],
  options: migrateOptions,
  async run(options, words, { argv, names }) {
    if (options.resume === undefined) return dispatch({ options, words, argv, typed: names });
    return dispatch(await resumedCall(options, words, names));
  },
});

async function dispatch(call: Call): Promise<ExitCode> {
  const { options, words, typed } = call;
  if (options.inventory !== undefined) return migrateFleet(options.inventory, call);
  refuseBatchOptions(typed);
  const request = await requestOf(options, words);
  const reserved = reserveOf(options.reserve) ?? 0;
  await requireConnection(options);
  const work = (signal: AbortSignal): Promise<ExitCode> => {
    const connected = { ...request, connect: connectOptions(options, signal) };
    return options['dry-run'] ? runDry(connected, options.json) : runOne(connected, { ...call, reserved }, signal);
  };
  return interruptible(work, { outputLost: options['dry-run'] ? 'end' : 'go on' });
}

/** A run of one host, and shown as one. */
async function runOne(
  request: MigrationRequest,
  { options: { json }, argv, resumed, reserved }: Call & { readonly reserved: number },
  signal: AbortSignal,
): Promise<ExitCode> {
  const { name, user, host, port } = request.target;
  const known = resumed === undefined ? undefined : recordedHost(resumed, name).host;
  await requireBootable(request.storeRoot, request.boot, known?.container);
  let failure: P2cError | undefined;
  const planned = { name, target: `${user}@${host}:${port}`, image: request.reference.name };
  const { exitCode } = await withRun(
    { root: request.storeRoot, verb: 'migrate', argv, hosts: [planned], resumed },
    async (run) => {
      if (!json) {
        const waits = new PlainWaits(say);
        run.listen((event) => waits.add(event));
      }
      const root = request.storeRoot;
      const room = new Room(root, reserved, (before) => promisedElsewhere(root, run.id, before));
      const identity = { name, index: 0, started: capturedAt(known?.began), container: known?.container };
      const report = await withShow({ json }, migrationStages(request), (show) =>
        runHost(
          run,
          { root, room },
          {
            host: identity,
            attempt: 1,
            show,
            work: (recording, memory) => migrate(request, recording, signal, memory),
            exitCode: exitCodeOf,
            signal,
          },
        ),
      );
      process.stdout.write(`${json ? jsonText(report) : describeMigration(report)}\n`);
      failure = failureOf(report);
      return { exitCode: exitCodeOf(report), done: 1, failed: 0 };
    },
  );
  if (failure !== undefined) throw failure;
  return exitCode;
}

/** What is told as an error though there is an image. */
function failureOf({ boot, image }: MigrationReport): P2cError | undefined {
  return bootFailure(boot, image.reference);
}

/** The way is part of it: behind two jump hosts, one address may be two servers. */
function endpointOf({ target: { host, port }, jump }: FleetHost): string {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return jump === undefined ? address : `${address} behind ${jump}`;
}

async function runDry(request: MigrationRequest, json: boolean): Promise<ExitCode> {
  const { survey, commands } = await withShow({ json }, migrationStages(request), (show) => dryRun(request, show));
  if (json) process.stdout.write(`${jsonText({ ...survey, commands: commands.map(plannedJson) })}\n`);
  else {
    process.stdout.write(`${describeSurvey(survey, terminalWidth())}\n\n${describeCommands(commands)}\n`);
  }
  return ExitCode.done;
}

function imageOf({ name }: FleetHost, resumed: RunRecord): string | undefined {
  return recordedHost(resumed, name).host.image ?? undefined;
}

async function migrateFleet(file: string, call: Call): Promise<ExitCode> {
  const { options, words, argv, typed, limited = false, resumed } = call;
  refuseOwnPort(typed);
  const today = resumed === undefined ? new Date() : new Date(resumed.began);
  const { inventory, hosts: meant } = await listedHosts(file, words, options, today);
  // What is wrong with a host that is done is past, and what its image is called the run knows.
  requireUsable(meant.filter((host) => !isKept(host, resumed)));
  const hosts = meant.map((host) => ({
    ...host,
    tag: resumed !== undefined && isKept(host, resumed) ? imageOf(host, resumed) : tagOf(host, options.tag, today),
    // A server whose applications are stopped for one host cannot be stopped for another one meanwhile.
    endpoint: options.stop ? endpointOf(host) : undefined,
  }));
  const leftOut = resumed === undefined ? [] : leftOutOf(resumed, hosts, limited);
  // All hosts' mistakes are found before the first host is touched.
  const requests = await hostRequests(hosts, options, (host) => isKept(host, resumed));
  requireDistinctNames(new Map([...requests].map(([{ name }, { boot }]) => [name, boot])));
  const root = storeRoot();
  for (const [{ name }, { boot }] of requests) {
    const known = resumed === undefined ? undefined : recordedHost(resumed, name).host;
    await requireBootable(root, boot, known?.container);
  }
  const chosen = { inventory, hosts };
  if (options['dry-run']) {
    await requireFleet(chosen, options);
    throw usageError('--dry-run takes one target, and no inventory', {
      code: 'usage',
      hint: "nothing else is wrong with these options; 'p2c audit -i FILE' looks at a whole inventory",
    });
  }
  return runFleet(chosen, options, {
    name: 'migrate',
    argv,
    root,
    resumed,
    leftOut,
    worthWithoutOutput: true,
    image: (host) => host.tag ?? null,
    async work(host, { show, signal, memory, aside, passwordSpent }) {
      const request = requests.get(host);
      if (request === undefined) throw new Error(`no request was made for ${host.name}`);
      const given = hostConnectOptions(host, options, signal, aside);
      const connect = passwordSpent ? { ...given, password: undefined } : given;
      return migrate({ ...request, connect }, show, signal, memory);
    },
    ...(options.estimate
      ? {
          estimate: (host, signal, note) =>
            hostEstimate({ target: host.target, connect: hostConnectOptions(host, options, signal) }, note),
        }
      : {}),
    exitCode: exitCodeOf,
    failure: failureOf,
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
