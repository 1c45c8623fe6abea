/**
 * Stops the applications of a source while it is copied, and promises that they start again: at the end, on every
 * failure, and, by the watchdog of the lease, also when p2c is killed or the link is lost.
 */
import { P2cError } from '../errors.ts';
import type { Session } from '../ssh/session.ts';
import { type Application, applicationsOf, sightApplications } from './application.ts';
import { lookBefore } from './comparison.ts';
import { Lease } from './lease.ts';
import { LEASE_PLACE, type LeasePlace } from './lease-scripts.ts';
import { clearTheWay, holder, type LeaseRun } from './lease-sight.ts';
import { Owed } from './owed.ts';
import { indent, type ResumeReport, type Stopped, startAgain } from './resume.ts';
import { runStop, type StepReport } from './run-step.ts';
import type { Profile } from './schema.ts';
import { OutOfReach, type Scene } from './step-execution.ts';
import { type Quiesced, StoppedApplications, tellUp } from './stopped-applications.ts';
import { watched } from './watched.ts';

export type { ResumeReport } from './resume.ts';
export type { LeftReport, Quiesced } from './stopped-applications.ts';

const DEFAULT_LEASE_MS = 120_000;
/** Until a watchdog has started all that it owes. */
const RELEASE_MS = 15 * 60_000;
const DEFAULT_SETTLE_MS = 10_000;

export interface QuiesceOptions {
  /** Milliseconds after which the watchdog on the source starts the applications when p2c gives no sign. Default 2 min. */
  readonly leaseMs?: number;
  /** Milliseconds that what ran before has to come back, beside what profiles check. Default 10 s. */
  readonly settleMs?: number;
  /** Ends a stop under way: what was stopped is started again. Does not end the starting. */
  readonly signal?: AbortSignal;
  /** A line for each thing that happens. */
  readonly onEvent?: (line: string) => void;
  /** Kept up to date: what would be left if this process ended at once. */
  readonly owed?: Owed;
  /** What the applications are stopped for. */
  readonly run?: LeaseRun | undefined;
  /** Where the lease keeps its state on the source. */
  readonly place?: LeasePlace;
}

/**
 * Stops those of the applications that run, in the order of the profiles. Nothing is stopped before the watchdog stands by.
 * @throws P2cError `quiesce.busy` (another run), `quiesce.lease-failed`, `quiesce.stop-failed` (what was stopped runs
 * again), `quiesce.start-failed`, `quiesce.link-lost`; or the reason of `signal`.
 */
export async function quiesce(
  session: Session,
  profiles: readonly Profile[],
  options: QuiesceOptions = {},
): Promise<Quiesced> {
  const place = options.place ?? LEASE_PLACE;
  const leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
  const tell = options.onEvent ?? (() => {});
  if (applicationsOf(profiles).length === 0) return nothingStopped([]);
  const { run, signal: interrupted } = options;
  const { log } = await clearTheWay(session, place, { limitMs: RELEASE_MS, run, signal: interrupted, tell });
  if (log !== '') tell(`the watchdog of an earlier run had to act on ${session.target.name}:\n${log}`);
  const { running, leftAlone } = await sightApplications(session, profiles);
  for (const name of leftAlone) tell(`${name} does not run: it is left alone`);
  options.signal?.throwIfAborted();
  if (running.length === 0) return nothingStopped(leftAlone);
  const before = await lookBefore(session, running);
  options.signal?.throwIfAborted();
  const lease = await Lease.begin(session, {
    place,
    leaseMs,
    holder: holder(run),
    plan: { applications: watched(running) },
    onTrouble: tell,
  });
  const owed = options.owed ?? new Owed();
  owed.watchedBy(lease);
  const scene = { session, place, lease, owed, tell };
  const signal = options.signal === undefined ? lease.lost : AbortSignal.any([options.signal, lease.lost]);
  const stopped = await stopAll(scene, running, signal);
  return new StoppedApplications(scene, stopped, leftAlone, before, {
    settleMs: options.settleMs ?? DEFAULT_SETTLE_MS,
    signal: options.signal ?? new AbortController().signal,
  });
}

function nothingStopped(leftAlone: readonly string[]): Quiesced {
  const report: ResumeReport = { applications: [], leftAlone, notes: [], health: [], differences: [] };
  return {
    stopped: [],
    leftAlone,
    lost: new AbortController().signal,
    confirm: async () => {},
    resume: async () => report,
    lookAgain: async () => report,
    leave: async () => ({ applications: [] }),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function stopAll(scene: Scene, applications: readonly Application[], signal: AbortSignal): Promise<Stopped[]> {
  const stopped: Stopped[] = [];
  try {
    for (const application of applications) {
      const item: Stopped = {
        application,
        since: performance.now(),
        steps: [],
        halfDown: undefined,
        failures: [],
        resumed: undefined,
      };
      // What no step was sent to was not stopped, and is not to be started: without a check nothing shows that it is up.
      const onSend = (): void => {
        if (stopped.includes(item)) return;
        stopped.push(item);
        scene.owed.stopping(application.name);
      };
      for (const task of application.stop) {
        signal.throwIfAborted();
        item.halfDown = task;
        const report = await runStop(scene, application, task, { signal, onSend });
        // One that was found down may have gone down with another that was stopped.
        onSend();
        item.steps.push(report);
        signal.throwIfAborted();
        if (report.problem !== undefined) throw stopFailed(scene, report);
      }
      item.halfDown = undefined;
      scene.tell(`${application.name} is down`);
    }
    return stopped;
  } catch (error) {
    throw await undo(scene, stopped, error);
  }
}

/** Starts again what was stopped. @returns the error to throw: the first, or the worse one of the starting. */
async function undo(scene: Scene, stopped: readonly Stopped[], error: unknown): Promise<unknown> {
  try {
    if (stopped.length === 0) return await untouched(scene, error);
    const { applications } = await startAgain(scene, stopped, []);
    tellUp(scene, applications);
    return error instanceof OutOfReach ? leaseRanOut(scene, error) : error;
  } catch (worse) {
    if (!(worse instanceof P2cError)) return worse;
    const because = error instanceof P2cError && error.code === 'quiesce.stop-failed' ? `${error.message}\n` : '';
    return new P2cError(`${because}${worse.message}`, {
      code: worse.code,
      ...(worse.hint === undefined ? {} : { hint: worse.hint }),
      cause: worse.cause ?? error,
    });
  }
}

/** No step was sent: there is nothing to start, and a watchdog that owes nothing goes by itself where it is not reached. */
async function untouched(scene: Scene, error: unknown): Promise<unknown> {
  await scene.lease.handBack().catch(() => {});
  if (!(error instanceof OutOfReach)) return error;
  return error.cause instanceof P2cError ? error.cause : leaseRanOut(scene, error);
}

function leaseRanOut(scene: Scene, { cause }: OutOfReach): P2cError {
  return new P2cError(`the lease on ${scene.session.target.name} ran out while the applications were being stopped`, {
    code: 'quiesce.lease-lost',
    hint: 'they run again; try a longer --lease',
    cause,
  });
}

function stopFailed(scene: Scene, report: StepReport): P2cError {
  const output = report.output === '' ? '' : `\n${indent(report.output)}`;
  return new P2cError(`on ${scene.session.target.name}, ${report.purpose}: ${report.problem ?? ''}${output}`, {
    code: 'quiesce.stop-failed',
    hint: 'what was stopped runs again, and nothing was copied; mend the step in the profile, or copy without a stop: --no-stop',
  });
}
