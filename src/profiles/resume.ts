/** Starts again what was stopped, hands the lease back, and accounts for it. */
import { P2cError } from '../errors.ts';
import { type Application, notUp, probe, type StopTask } from './application.ts';
import { nameOfAtom } from './checks.ts';
import type { Comparison } from './comparison.ts';
import { HalfDown } from './half-down.ts';
import { waitForRelease } from './lease-sight.ts';
import { formatSeconds } from './quantity.ts';
import { runStart, type Started, type StepReport } from './run-step.ts';
import { OutOfReach, type Scene } from './step-execution.ts';
import { stepByHand } from './steps.ts';

/** An application that p2c stopped, or began to stop. */
export interface Stopped {
  readonly application: Application;
  /** `performance.now()` of its first stop step. */
  readonly since: number;
  readonly steps: StepReport[];
  /** The stop step that is not known to have ended well: it may be half down. */
  halfDown: StopTask | undefined;
}

interface ResumedApplication {
  readonly name: string;
  /** From the first stop step until it was seen up again. */
  readonly downMs: number;
  /** True where the watchdog on the source had started it before p2c did. */
  readonly byWatchdog: boolean;
  readonly steps: readonly StepReport[];
}

export interface ResumeReport extends Comparison {
  /** In the order in which they were started. */
  readonly applications: readonly ResumedApplication[];
  /** Those that did not run before, and so were left alone. */
  readonly leftAlone: readonly string[];
  /** What did not go smoothly, though all runs. */
  readonly notes: readonly string[];
}

/** Before anybody looked whether all is as it was. */
export type StartReport = Omit<ResumeReport, keyof Comparison>;

/**
 * @throws P2cError `quiesce.start-failed` with the commands to run by hand, `quiesce.link-lost` where the source cannot
 * be reached; in both cases the watchdog on the source tries in its turn when the lease runs out.
 */
export async function startAgain(
  scene: Scene,
  stopped: readonly Stopped[],
  leftAlone: readonly string[],
): Promise<StartReport> {
  const applications: ResumedApplication[] = [];
  const failures: Failure[] = [];
  const notes: string[] = [];
  const pending = [...stopped].reverse();
  const settle = async (item: Stopped, failed: readonly Failure[]): Promise<void> => {
    failures.push(...failed);
    if (failed.length > 0) return;
    applications.push(resumed(item, false));
    scene.owed.started([item.application.name]);
    await scene.lease.settle(item.application.number).catch((error: unknown) => void notes.push(String(error)));
  };
  try {
    if ((await scene.lease.renew()) === 'expired') return await startedByWatchdog(scene, pending, leftAlone);
    const doubtful: { item: Stopped; halfDown: HalfDown<Failure> }[] = [];
    for (const item of pending) {
      if (item.halfDown === undefined) {
        await settle(item, await startOne(scene, item, 'down'));
        continue;
      }
      const halfDown = new HalfDown(scene, item, item.halfDown, (from) => startOne(scene, item, from));
      await halfDown.look();
      if (halfDown.settled) await settle(item, halfDown.failures);
      else doubtful.push({ item, halfDown });
    }
    // At last, so that no other stays down the while.
    for (const { item, halfDown } of doubtful) {
      await halfDown.watch();
      await settle(item, halfDown.failures);
    }
  } catch (error) {
    if (error instanceof P2cError && error.code === 'quiesce.start-failed') throw error;
    if (error instanceof OutOfReach && (await leaseExpired(scene)))
      return await startedByWatchdog(scene, pending, leftAlone);
    const missing = pending.filter((item) => !applications.some(({ name }) => name === item.application.name));
    throw linkLost(scene, missing, error);
  }
  if (failures.length > 0) throw startFailed(scene, failures);
  await scene.lease.handBack().catch((error: unknown) => void notes.push(String(error)));
  return { applications, leftAlone, notes };
}

async function leaseExpired(scene: Scene): Promise<boolean> {
  return (await scene.lease.renew().catch(() => 'unknown')) === 'expired';
}

interface Failure {
  readonly report: StepReport;
  readonly byHand: string;
}

/** All its steps, also after one that failed: half an application is more than none. */
async function startOne(scene: Scene, item: Stopped, from: Started): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const task of item.application.start) {
    const report = await runStart(scene, item.application, task, from);
    item.steps.push(report);
    if (report.problem !== undefined) failures.push({ report, byHand: stepByHand('start', task.step) });
  }
  return failures;
}

function resumed(item: Stopped, byWatchdog: boolean): ResumedApplication {
  return { name: item.application.name, downMs: performance.now() - item.since, byWatchdog, steps: item.steps };
}

/** The lease ran out while p2c was away: the watchdog starts the applications, or has. Then p2c only looks. */
async function startedByWatchdog(
  scene: Scene,
  stopped: readonly Stopped[],
  leftAlone: readonly string[],
): Promise<StartReport> {
  scene.lease.abandon();
  scene.tell('the watchdog on the server starts the applications; waiting for it');
  const steps = stopped.flatMap(({ application }) => application.start);
  const stops = stopped.flatMap(({ application }) => application.stop);
  // A stop that may yet take effect is waited for too.
  const limit =
    steps.reduce((sum, { step }) => sum + 3 * step.timeout, 60_000) +
    stops.reduce((most, { step }) => Math.max(most, step.timeout), 0);
  const { log, owed } = await waitForRelease(scene.session, scene.place, limit);
  const up = steps.flatMap((task) => task.up);
  const down = up.length === 0 ? [] : notUp(up, await probe(scene.session, 'see what the watchdog started', up));
  // A start step without a check: only the watchdog knows that it failed.
  const missing = new Set([...down.map(({ atom }) => nameOfAtom(atom)), ...owed]);
  if (missing.size > 0) {
    const names = [...missing].join(', ');
    throw new P2cError(
      `the lease on ${scene.session.target.name} ran out, and what its watchdog started is not all up: ${names} missing\n${log}`,
      {
        code: 'quiesce.start-failed',
        hint: `run there, as root: ${steps.map(({ step }) => stepByHand('start', step)).join('; ')}`,
      },
    );
  }
  scene.owed.started(stopped.map(({ application }) => application.name));
  const notes = log === '' ? [] : [`the watchdog on the server says:\n${log}`];
  return { applications: stopped.map((item) => resumed(item, true)), leftAlone, notes };
}

function startFailed(scene: Scene, failures: readonly Failure[]): P2cError {
  scene.lease.abandon();
  const lines = failures.map(
    ({ report }) =>
      `${report.purpose}: ${report.problem ?? ''}${report.output === '' ? '' : `\n${indent(report.output)}`}`,
  );
  return new P2cError([`APPLICATIONS ON ${scene.session.target.name} DID NOT START AGAIN`, ...lines].join('\n'), {
    code: 'quiesce.start-failed',
    hint: `run there, as root: ${failures.map(({ byHand }) => byHand).join('; ')}\nthe watchdog there tries again in ${formatSeconds(scene.lease.remainingMs)} (its log: ${scene.place.logFile})`,
  });
}

function linkLost(scene: Scene, stopped: readonly Stopped[], cause: unknown): P2cError {
  scene.lease.abandon();
  const { name } = scene.session.target;
  const names = stopped.map(({ application }) => application.name).join(', ');
  const by = new Date(Date.now() + scene.lease.remainingMs).toTimeString().slice(0, 8);
  return new P2cError(
    `${name} cannot be reached to start ${names} again; the watchdog there does it when the lease runs out, by about ${by} (in ${formatSeconds(scene.lease.remainingMs)})`,
    {
      code: 'quiesce.link-lost',
      hint: `look there once it can be reached; the watchdog's log is ${scene.place.logFile}, and the next run of p2c tells it`,
      cause: cause instanceof OutOfReach ? (cause.cause ?? cause) : cause,
    },
  );
}

/** The output of a step, as part of an error. */
export function indent(text: string): string {
  return text
    .split('\n')
    .slice(-20)
    .map((line) => `    ${line}`)
    .join('\n');
}
