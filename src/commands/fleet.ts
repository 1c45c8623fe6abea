/** What the verbs share that run over an inventory: the run, the lines or events, the table, the exit code. */
import { describeError, ExitCode, errorRecord, P2cError } from '../errors.ts';
import { requireNoCircle } from '../fleet/circle.ts';
import { callHooks, type HookName } from '../fleet/hooks.ts';
import type { FleetHost } from '../fleet/host.ts';
import type { Run } from '../fleet/run.ts';
import { Beforehand } from '../pipeline/beforehand.ts';
import { type HostOutcome, runHosts } from '../pipeline/fleet.ts';
import type { Memory } from '../pipeline/memory.ts';
import { promisedElsewhere } from '../pipeline/other-runs.ts';
import { Room } from '../pipeline/room.ts';
import type { HostOfRun } from '../pipeline/run-memory.ts';
import type { Show } from '../pipeline/stage.ts';
import { jsonText } from '../printable.ts';
import type { RunEvent } from '../report/events/schema.ts';
import type { RunRecord } from '../report/run-record.ts';
import { toldEvent } from '../report/told-argv.ts';
import { type BatchHooks, withHooks } from './batch-hooks.ts';
import { type Shown, watched, writeLine } from './batch-show.ts';
import { becomePasswordOfAll } from './become-password.ts';
import type { ChosenHosts } from './chosen-hosts.ts';
import { requireHostConnections } from './connection-check.ts';
import type { Aside, ConnectionOptions } from './connection-options.ts';
import { type FleetOptions, type FleetPlan, fleetPlan } from './fleet-options.ts';
import { printOutcomes, tallyOf, worstExitCode } from './fleet-outcomes.ts';
import { interruptible } from './interrupt.ts';
import { leftOutOutcomes } from './left-out.ts';
import { holdingOn } from './outputs.ts';
import { type Estimate, planDisk } from './plan-disk.ts';
import { capturedAt, isKept, type RunEnd, recordedHost, withRun } from './run-plan.ts';
import { RunWatch } from './run-watch.ts';

/** What the work on one host is done with. */
export interface Scene {
  readonly show: Show;
  readonly signal: AbortSignal;
  readonly memory: Memory;
  readonly aside: Aside;
  /** True where the host has refused the password that was given for the login: it is not tried once more. */
  readonly passwordSpent: boolean;
}

/** What is done with each host, and how its result is told. */
export interface FleetVerb<Result> {
  readonly name: string;
  /** As typed. */
  readonly argv: readonly string[];
  readonly root: string;
  readonly resumed?: RunRecord | undefined;
  /** Hosts of the resumed run that are not done, and that this call does not mean. */
  readonly leftOut?: readonly string[];
  /** True where more comes of it than what is printed. */
  readonly worthWithoutOutput?: boolean;
  /** Name of the image that is to come of it. */
  image(host: FleetHost): string | null;
  work(host: FleetHost, scene: Scene): Promise<Result>;
  readonly estimate?: Estimate;
  exitCode(result: Result): ExitCode;
  /** What exit code 4 is called in the table. Default `differences`. */
  readonly differs?: string;
  /** What of a result is told as an error. */
  failure?(result: Result): P2cError | undefined;
  readonly columns: readonly string[];
  row(result: Result): string[];
}

export type FleetRunOptions = Omit<FleetOptions, 'inventory'> &
  Partial<ConnectionOptions> & {
    readonly reserve?: string | undefined;
    readonly json: boolean;
  };

/** Looking waits for no maintenance window, and for no other host: what is written in an inventory of both is for migrations. */
export function atAnyTime({ inventory, hosts }: ChosenHosts): ChosenHosts {
  return { inventory, hosts: hosts.map((host) => ({ ...host, opens: undefined, after: [] })) };
}

/**
 * All that can be wrong with the options of a batch, and with what its inventory says of the way to its hosts: found
 * before a run is begun.
 * @throws P2cError (exit code 2).
 */
export async function requireFleet(
  { inventory, hosts }: ChosenHosts,
  options: FleetRunOptions,
  resumed?: RunRecord | undefined,
): Promise<FleetPlan> {
  const plan = await fleetPlan(options, inventory, hosts.length);
  requireNoCircle(hosts);
  await requireHostConnections(
    hosts.filter((host) => !isKept(host, resumed)),
    options,
  );
  return plan;
}

/** Runs, prints the table (or events), and answers the worst exit code: a failure before a blind spot. */
export async function runFleet<Result>(
  chosen: ChosenHosts,
  options: FleetRunOptions,
  verb: FleetVerb<Result>,
): Promise<ExitCode> {
  const plan = await requireFleet(chosen, options, verb.resumed);
  // Before anything begins: later nobody may sit there.
  if (options['ask-become-pass'] === true) await becomePasswordOfAll();
  const { hosts } = chosen;
  const { name, argv, root, resumed } = verb;
  const planned = hosts.map((host) => ({ name: host.name, target: targetOf(host), image: verb.image(host) }));
  const listener = options.json ? printEvent : undefined;
  const batch = async (run: Run): Promise<RunEnd> => {
    const watch = new RunWatch(run, { verb: name, hosts: planned }, plan.metricsFile);
    try {
      const tell = options.json ? () => {} : writeLine;
      const outputLost = verb.worthWithoutOutput === true ? 'go on' : 'end';
      return await withHooks({ run, plan, tell }, (hooks) =>
        interruptible((signal) => runBatch({ run, watch, hosts, plan, hooks, verb, json: options.json, signal }), {
          outputLost,
        }),
      );
    } finally {
      // A batch that is done is not undone by what was to be told of it.
      await watch.end().catch((error: unknown) => writeLine(describeError(error)));
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
  readonly signal: AbortSignal;
}

async function runBatch<Result>(batch: Batch<Result>): Promise<RunEnd> {
  const { run, hosts, hooks, verb, json, signal } = batch;
  const hook = (name: HookName, details: object = {}): Promise<void> =>
    callHooks(hooks.batch, { hook: name, run: run.id, ...details }, (end) => run.note(end), signal);
  let ended: HostOutcome<FleetHost, Result>[];
  try {
    await hook('pre', { hosts: hosts.map(({ name }) => name) });
    ended = await watched(batch, (shown) => workOn(batch, shown));
  } catch (error) {
    const exitCode = error instanceof P2cError ? error.exitCode : ExitCode.failed;
    await hook('fail', { exitCode, hosts: hosts.length, error: errorRecord(error) });
    throw error;
  }
  const outcomes = [...ended, ...leftOutOutcomes(verb.leftOut ?? [])];
  const kept = hosts.length - ended.length;
  const failed = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.host.name] : []));
  if (!json) printOutcomes(outcomes, kept, verb);
  const exitCode = worstExitCode(outcomes, (result) => verb.exitCode(result));
  await hook(failed.length > 0 ? 'fail' : 'post', { exitCode, hosts: outcomes.length + kept, failed });
  if (!json && failed.length > 0 && verb.name === 'migrate') {
    writeLine(`p2c: 'p2c migrate --resume ${run.id}' goes on with what is not done`);
  }
  const { done, notBegun } = tallyOf(outcomes);
  return { exitCode, done: done + kept, failed: failed.length, notBegun };
}

/** Those that were done before the run was resumed have no outcome here. */
async function workOn<Result>(
  { run, hosts, plan, hooks, verb, json, signal }: Batch<Result>,
  { showFor, notice, aside }: Shown,
): Promise<HostOutcome<FleetHost, Result>[]> {
  const { resumed, root, estimate } = verb;
  for (const host of hosts.filter((each) => isKept(each, resumed))) run.tell({ event: 'host-kept', host: host.name });
  const room = new Room(root, plan.reserve, (before) => promisedElsewhere(root, run.id, before));
  run.listen((event) => {
    if (event.event === 'part-captured') room.arrived(event.host, event.bytes);
  });
  const waiting = hosts.filter((host) => !isKept(host, resumed));
  const beforehand = new Beforehand();
  const asking = { run, estimate, resumed, waiting, room, limits: plan.limits, beforehand, notice };
  const told = await planDisk(asking, signal);
  if (told !== undefined && !json) await aside(async () => writeLine(`p2c: ${told}`));
  return runHosts(waiting, {
    ...plan,
    resumable: verb.name === 'migrate',
    hooks: hooks.host,
    run,
    place: { root, room },
    identify: (host) => identify(host, hosts, resumed),
    showFor,
    work: async (host, recording, memory) => {
      const passwordSpent = beforehand.passwordSpent(host.name);
      const show = beforehand.unsaid(host.name, recording);
      return verb.work(host, { show, signal, memory, aside, passwordSpent });
    },
    exitCode: (result) => verb.exitCode(result),
    signal,
  });
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
  process.stdout.write(`${jsonText(toldEvent(event))}\n`);
}
