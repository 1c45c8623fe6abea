/** What the verbs share that run over an inventory: the run, the lines or events, the table, the exit code. */
import { describeError, ExitCode, errorRecord, type P2cError } from '../errors.ts';
import { callHooks, type HookName } from '../fleet/hooks.ts';
import type { FleetHost } from '../fleet/host.ts';
import { requireNoCircle } from '../fleet/queue.ts';
import type { Run } from '../fleet/run.ts';
import { describeDiskPlan, estimates } from '../pipeline/disk-plan.ts';
import { type HostOutcome, runHosts } from '../pipeline/fleet.ts';
import type { Memory } from '../pipeline/memory.ts';
import { promisedElsewhere } from '../pipeline/other-runs.ts';
import { Room } from '../pipeline/room.ts';
import type { HostOfRun } from '../pipeline/run-memory.ts';
import { type Show, SILENT } from '../pipeline/stage.ts';
import type { RunEvent } from '../report/events/schema.ts';
import { PlainShow } from '../report/plain-show.ts';
import type { RunRecord } from '../report/run-record.ts';
import { table } from '../report/table.ts';
import { type BatchHooks, withHooks } from './batch-hooks.ts';
import type { Aside } from './connection-options.ts';
import { type FleetOptions, type FleetPlan, fleetPlan } from './fleet-options.ts';
import { interruptible } from './interrupt.ts';
import { holdingOn } from './outputs.ts';
import { capturedAt, type RunEnd, recordedHost, withRun } from './run-plan.ts';
import { RunWatch } from './run-watch.ts';
import { terminalWidth } from './show.ts';

/** What the work on one host is done with. */
export interface Scene {
  readonly show: Show;
  readonly signal: AbortSignal;
  readonly memory: Memory;
  readonly aside: Aside;
}

/** What is done with each host, and how its result is told. */
export interface FleetVerb<Result> {
  readonly name: string;
  /** As typed. */
  readonly argv: readonly string[];
  readonly root: string;
  readonly resumed?: RunRecord | undefined;
  /** True where more comes of it than what is printed. */
  readonly worthWithoutOutput?: boolean;
  /** Name of the image that is to come of it. */
  image(host: FleetHost): string | null;
  work(host: FleetHost, scene: Scene): Promise<Result>;
  /** Bytes that the host may bring into the store at most. */
  estimate?(host: FleetHost, signal: AbortSignal): Promise<number>;
  exitCode(result: Result): ExitCode;
  /** What of a result is told as an error. */
  failure?(result: Result): P2cError | undefined;
  readonly columns: readonly string[];
  row(result: Result): string[];
}

export interface FleetRunOptions extends Omit<FleetOptions, 'inventory'> {
  readonly json: boolean;
}

/** Looking waits for no maintenance window, and for no other host: what is written in an inventory of both is for migrations. */
export function atAnyTime(hosts: readonly FleetHost[]): FleetHost[] {
  return hosts.map((host) => ({ ...host, opens: undefined, after: [] }));
}

/** Runs, prints the table (or events), and answers the worst exit code: a failure before a blind spot. */
export async function runFleet<Result>(
  hosts: readonly FleetHost[],
  options: FleetRunOptions,
  verb: FleetVerb<Result>,
): Promise<ExitCode> {
  const plan = fleetPlan(options, hosts.length);
  requireNoCircle(hosts);
  const { name, argv, root, resumed } = verb;
  const planned = hosts.map((host) => ({ name: host.name, target: targetOf(host), image: verb.image(host) }));
  const listener = options.json ? printEvent : undefined;
  const batch = async (run: Run): Promise<RunEnd> => {
    const watch = new RunWatch(run, { verb: name, hosts: planned }, plan.metricsFile);
    try {
      const tell = options.json ? () => {} : writeLine;
      return await withHooks({ run, plan, tell }, (hooks) =>
        runBatch({ run, watch, hosts, plan, hooks, verb, json: options.json }),
      );
    } finally {
      await watch.end();
    }
  };
  // Whatever becomes of the output, the run ends as one: its journal has the account.
  const { exitCode } = await holdingOn(
    () => {},
    () => withRun({ root, verb: name, argv, hosts: planned, resumed, listener }, batch),
  );
  return exitCode;
}

interface Batch<Result> {
  readonly run: Run;
  readonly watch: RunWatch;
  readonly hosts: readonly FleetHost[];
  readonly plan: FleetPlan;
  readonly hooks: BatchHooks;
  readonly verb: FleetVerb<Result>;
  readonly json: boolean;
}

async function runBatch<Result>(batch: Batch<Result>): Promise<RunEnd> {
  const { run, hosts, hooks, verb, json } = batch;
  const hook = (name: HookName, details: object = {}): Promise<void> =>
    callHooks(hooks.batch, { hook: name, run: run.id, ...details }, (end) => run.note(end));
  await hook('pre', { hosts: hosts.map(({ name }) => name) });
  const outcomes = await watched(batch, (shown) => workOn(batch, shown));
  const failed = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.host.name] : []));
  if (!json) printOutcomes(outcomes, hosts.length - outcomes.length, verb);
  const exitCode = worstOf(outcomes.map((outcome) => exitCodeOf(outcome, verb)));
  await hook(failed.length > 0 ? 'fail' : 'post', { exitCode, hosts: hosts.length, failed });
  if (!json && failed.length > 0 && verb.name === 'migrate') {
    writeLine(`p2c: 'p2c migrate --resume ${run.id}' goes on with what is not done`);
  }
  return { exitCode, done: hosts.length - failed.length, failed: failed.length };
}

/** How a batch is shown. */
interface Shown {
  showFor(host: FleetHost): Show;
  readonly aside: Aside;
}

/** Events under `--json`, a screen on a terminal, plain lines elsewhere. */
async function watched<Result, Done>(
  { watch, json }: Batch<Result>,
  work: (shown: Shown) => Promise<Done>,
): Promise<Done> {
  if (json) return work({ showFor: () => SILENT, aside: (ask) => ask() });
  if (!process.stderr.isTTY) {
    return work({ showFor: (host) => new PlainShow(writeLine, `${host.name}: `), aside: (ask) => ask() });
  }
  const { FleetScreen } = await import('../report/fleet-screen.ts');
  await using screen = new FleetScreen(watch.hosts);
  return await work({ showFor: () => SILENT, aside: (ask) => screen.aside(ask) });
}

/** Those that were done before the run was resumed have no outcome here. */
async function workOn<Result>(
  { run, hosts, plan, hooks, verb, json }: Batch<Result>,
  { showFor, aside }: Shown,
): Promise<HostOutcome<FleetHost, Result>[]> {
  const { resumed, root } = verb;
  const isKept = ({ name }: FleetHost): boolean =>
    resumed !== undefined && recordedHost(resumed, name).host.state === 'done';
  for (const host of hosts.filter(isKept)) run.tell({ event: 'host-kept', host: host.name });
  const room = new Room(root, plan.reserve, (before) => promisedElsewhere(root, run.id, before));
  run.listen((event) => {
    if (event.event === 'part-captured') room.arrived(event.host, event.bytes);
  });
  const waiting = hosts.filter((host) => !isKept(host));
  const work = async (signal: AbortSignal): Promise<HostOutcome<FleetHost, Result>[]> => {
    const told = await planDisk({ run, verb, waiting, room }, signal);
    if (told !== undefined && !json) await aside(async () => writeLine(`p2c: ${told}`));
    return runHosts(waiting, {
      ...plan,
      hooks: hooks.host,
      run,
      place: { root, room },
      identify: (host) => identify(host, hosts, resumed),
      showFor,
      work: (host, show, memory) => verb.work(host, { show, signal, memory, aside }),
      exitCode: (result) => verb.exitCode(result),
      signal,
    });
  };
  return interruptible(work, { outputLost: verb.worthWithoutOutput === true ? 'go on' : 'end' });
}

interface DiskPlanning<Result> extends Pick<Batch<Result>, 'run' | 'verb'> {
  readonly waiting: readonly FleetHost[];
  readonly room: Room;
}

/** @returns how what all hosts hold compares with the room there is; undefined where nobody is asked. */
async function planDisk<Result>(
  { run, verb, waiting, room }: DiskPlanning<Result>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { estimate, resumed } = verb;
  // One host's own plan says it more exactly, and as early.
  if (estimate === undefined || waiting.length < 2) return undefined;
  for (const { name } of waiting) {
    run.tell({ event: 'host-waiting', host: name, reason: 'until all hosts have said how much they hold' });
  }
  const there = (name: string): number => (resumed === undefined ? 0 : recordedHost(resumed, name).host.capturedBytes);
  const hosts = await estimates(waiting, async (host) =>
    Math.max(0, (await estimate(host, signal)) - there(host.name)),
  );
  const plan = { hosts, free: await room.free() };
  run.note({ event: 'disk-planned', ...plan });
  return describeDiskPlan(plan);
}

function identify(host: FleetHost, hosts: readonly FleetHost[], resumed: RunRecord | undefined): HostOfRun {
  const { name } = host;
  if (resumed === undefined) return { name, index: hosts.indexOf(host), started: capturedAt(undefined) };
  const known = recordedHost(resumed, name);
  const { began, container } = known.host;
  return { name, index: known.index, started: capturedAt(began), container };
}

function targetOf({ target: { user, host, port } }: FleetHost): string {
  return `${user}@${host}:${port}`;
}

function printEvent(event: RunEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}

function printOutcomes<Result>(
  outcomes: readonly HostOutcome<FleetHost, Result>[],
  kept: number,
  verb: FleetVerb<Result>,
): void {
  for (const outcome of outcomes) {
    const error = 'error' in outcome ? outcome.error : verb.failure?.(outcome.result);
    if (error !== undefined) writeLine(describeError(error).replace(/^p2c: /, `p2c: ${outcome.host.name}: `));
  }
  const blank = verb.columns.map(() => '-');
  const rows = outcomes.map((outcome) =>
    'error' in outcome
      ? [outcome.host.name, 'failed', ...blank]
      : [outcome.host.name, stateOf(verb.exitCode(outcome.result)), ...verb.row(outcome.result)],
  );
  process.stdout.write(`${table(rows, ['HOST', 'STATE', ...verb.columns], terminalWidth())}\n`);
  const failed = outcomes.filter((outcome) => 'error' in outcome).length;
  const before = kept === 0 ? '' : `, ${kept} done before`;
  process.stdout.write(
    `${outcomes.length - failed} done, ${failed} failed${before}, of ${outcomes.length + kept} hosts\n`,
  );
}

/** A host that ended well, as the table has it. */
function stateOf(code: ExitCode): string {
  if (code === ExitCode.blindSpots) return 'blind spots';
  if (code === ExitCode.failed) return 'not booted';
  return code === ExitCode.differences ? 'differences' : 'done';
}

function exitCodeOf<Result>(outcome: HostOutcome<FleetHost, Result>, verb: FleetVerb<Result>): ExitCode {
  if (!('error' in outcome)) return verb.exitCode(outcome.result);
  const { code } = errorRecord(outcome.error);
  return code === 'interrupted' ? ExitCode.interrupted : ExitCode.failed;
}

function worstOf(codes: readonly ExitCode[]): ExitCode {
  const order = [ExitCode.interrupted, ExitCode.failed, ExitCode.usage, ExitCode.blindSpots, ExitCode.differences];
  return order.find((code) => codes.includes(code)) ?? ExitCode.done;
}
