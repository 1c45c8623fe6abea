/** Starts again what was stopped, hands the lease back, and accounts for it. */
import { P2cError } from '../errors.ts';
import { type Application, notUp, probe, type StartTask, type StopTask } from './application.ts';
import { cameUp } from './came-up.ts';
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
  /** What of its start failed, the last time that it was sent. */
  failures: readonly Failure[];
  /** Once it was seen up again. */
  resumed: ResumedApplication | undefined;
}

interface ResumedApplication {
  readonly name: string;
  /** From the first stop step until it was seen up again. */
  readonly downMs: number;
  /** True where the watchdog on the source had started it before p2c did. */
  readonly byWatchdog: boolean;
  readonly steps: readonly StepReport[];
  /** How its start failed, where it came up all the same. */
  readonly trouble: string | null;
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
  const notes: string[] = [];
  const pending = [...stopped].reverse();
  const settle = async (item: Stopped, failures: readonly Failure[]): Promise<void> => {
    item.failures = failures;
    if (failures.length === 0) await settled(scene, item, notes);
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
    for (const item of pending.filter(({ resumed }) => resumed === undefined)) {
      if (await cameUp(scene, item, tasksOf(item.failures))) await settled(scene, item, notes);
    }
  } catch (error) {
    if (error instanceof P2cError && error.code === 'quiesce.start-failed') throw error;
    if (error instanceof OutOfReach && (await leaseExpired(scene)))
      return await startedByWatchdog(scene, pending, leftAlone);
    const missing = pending.filter(({ resumed }) => resumed === undefined);
    throw linkLost(scene, missing, error);
  }
  const failures = pending.flatMap((item) => (item.resumed === undefined ? item.failures : []));
  if (failures.length > 0) throw startFailed(scene, failures);
  return handedBack(scene, pending, leftAlone, notes);
}

/**
 * Once more, some time after the start of some of them failed: they may have come up since, or the watchdog has started them.
 * Where all runs, the lease is handed back.
 * @returns undefined where one of them is not up, or not known to be. @throws P2cError `quiesce.start-failed`, and what the link does.
 */
export async function lookAgain(
  scene: Scene,
  stopped: readonly Stopped[],
  leftAlone: readonly string[],
): Promise<StartReport | undefined> {
  const pending = [...stopped].reverse();
  for (const item of pending) {
    // What has no check and was started stays so, for all that can be known.
    const unchecked = item.application.start.every(({ up }) => up.length === 0);
    if (unchecked && item.resumed !== undefined) continue;
    if (!(await cameUp(scene, item, tasksOf(item.failures)))) return undefined;
  }
  if ((await scene.lease.renew()) === 'expired') return startedByWatchdog(scene, pending, leftAlone);
  const notes: string[] = [];
  for (const item of pending.filter(({ resumed }) => resumed === undefined)) await settled(scene, item, notes);
  return handedBack(scene, pending, leftAlone, notes);
}

async function handedBack(
  scene: Scene,
  items: readonly Stopped[],
  leftAlone: readonly string[],
  notes: string[],
): Promise<StartReport> {
  await scene.lease.handBack().catch((error: unknown) => void notes.push(String(error)));
  return { applications: items.flatMap(({ resumed }) => resumed ?? []), leftAlone, notes };
}

/** It is up: nobody owes its start any more. */
async function settled(scene: Scene, item: Stopped, notes: string[]): Promise<void> {
  const { name, number } = item.application;
  item.resumed = resumed(item, false);
  if (item.resumed.trouble !== null) scene.tell(`${name} is up, though ${item.resumed.trouble}`);
  scene.owed.started([name]);
  await scene.lease.settle(number).catch((error: unknown) => void notes.push(String(error)));
}

async function leaseExpired(scene: Scene): Promise<boolean> {
  return (await scene.lease.renew().catch(() => 'unknown')) === 'expired';
}

interface Failure {
  readonly task: StartTask;
  readonly report: StepReport;
}

function tasksOf(failures: readonly Failure[]): StartTask[] {
  return failures.map(({ task }) => task);
}

/** All its steps, also after one that failed: half an application is more than none. */
async function startOne(scene: Scene, item: Stopped, from: Started): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const task of item.application.start) {
    const report = await runStart(scene, item.application, task, from);
    item.steps.push(report);
    if (report.problem !== undefined) failures.push({ task, report });
  }
  return failures;
}

function resumed(item: Stopped, byWatchdog: boolean): ResumedApplication {
  const { application, since, steps, failures } = item;
  const trouble = failures.map(({ report }) => `${report.purpose} ${report.problem ?? ''}`).join('; ') || null;
  return { name: application.name, downMs: performance.now() - since, byWatchdog, steps, trouble };
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
  return {
    applications: stopped.map((item) => ({ ...(item.resumed ?? resumed(item, true)), byWatchdog: true })),
    leftAlone,
    notes,
  };
}

function startFailed(scene: Scene, failures: readonly Failure[]): P2cError {
  scene.lease.abandon();
  const lines = failures.map(
    ({ report }) =>
      `${report.purpose}: ${report.problem ?? ''}${report.output === '' ? '' : `\n${indent(report.output)}`}`,
  );
  return new P2cError([`APPLICATIONS ON ${scene.session.target.name} DID NOT START AGAIN`, ...lines].join('\n'), {
    code: 'quiesce.start-failed',
    hint: `run there, as root: ${failures.map(({ task }) => stepByHand('start', task.step)).join('; ')}\nthe watchdog there tries again in ${formatSeconds(scene.lease.remainingMs)} (its log: ${scene.place.logFile})`,
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
