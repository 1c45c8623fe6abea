/** Stops the applications that profiles name, and starts them again. */
import { P2cError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import { Owed } from '../../profiles/owed.ts';
import { type LeftReport, type Quiesced, quiesce, type ResumeReport } from '../../profiles/quiesce.ts';
import { isWorse, type StopReport, stoppedAndLeft, stoppedAndStarted } from '../../report/stop-report.ts';
import { formatDuration } from '../../report/units.ts';
import type { Target } from '../../ssh/target.ts';
import { leaving } from '../leavings.ts';
import type { MigrationRequest } from '../request.ts';
import type { Belongings } from '../rollback.ts';
import type { Show } from '../stage.ts';
import type { Survey } from '../survey.ts';

export const STOP = 'Stop the applications';
export const START = 'Start the applications again';
export const LEAVE = 'Leave the applications stopped';

export async function stopApplications(
  request: MigrationRequest,
  { session }: Survey,
  show: Show,
  held: Belongings,
  signal: AbortSignal,
): Promise<Quiesced | undefined> {
  const { target, profiles, leaseMs } = request;
  if (!request.stop || profiles.length === 0) return undefined;
  const onEvent = (line: string): void => show.note(line);
  const owed = new Owed();
  // Given back last: after the applications were started.
  held.defer(leaving(() => whatIsStopped(target, owed)));
  return show.stage(
    STOP,
    async () => held.use(await quiesce(session, profiles, { leaseMs, signal, onEvent, owed })),
    (quiesced) => (quiesced.stopped.length === 0 ? 'none of them runs' : quiesced.stopped.join(', ')),
  );
}

/** @returns undefined where all runs. */
export function whatIsStopped({ name }: Target, { names, remainingMs }: Owed): string | undefined {
  if (names.length === 0) return undefined;
  const what = `on ${name}, ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} left stopped`;
  if (remainingMs === undefined) return `${what}, and nobody starts ${names.length === 1 ? 'it' : 'them'} again`;
  const by = new Date(Date.now() + remainingMs).toTimeString().slice(0, 8);
  return `${what}: the watchdog there starts what is down by about ${by} (in ${formatDuration(remainingMs)}), and tells the next run of p2c what it did`;
}

/** A start that fails does not cost the capture: the image is made first, and the failure ends the run. */
export async function startApplications(
  stopped: Quiesced | undefined,
  show: Show,
): Promise<ResumeReport | Error | undefined> {
  if (stopped === undefined) return undefined;
  try {
    const report = await show.stage(START, () => stopped.resume(), describeStart);
    for (const note of report.notes) show.note(note);
    return report;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function describeStart({ applications, health }: ResumeReport): string {
  if (applications.length === 0) return 'none was stopped';
  const sick = health.filter(isWorse).map(({ application, check }) => `${application} is not healthy (${check})`);
  return [...applications.map((app) => `${app.name} was down ${formatDuration(app.downMs)}`), ...sick].join(', ');
}

/**
 * For the final cutover, and only once the image is there.
 * @throws P2cError `quiesce.lease-lost`, `quiesce.lease-failed`: they run again, or will.
 */
export async function leaveApplications(
  stopped: Quiesced | undefined,
  show: Show,
  image: Image,
): Promise<LeftReport | undefined> {
  if (stopped === undefined) return undefined;
  const work = (): Promise<LeftReport> =>
    stopped.leave().catch((cause: unknown) => {
      throw new P2cError(
        `the image ${image.reference} was made, but the applications could not be left stopped: they are started again`,
        { code: cause instanceof P2cError ? cause.code : 'quiesce.lease-failed', hint: 'stop them by hand', cause },
      );
    });
  return show.stage(
    LEAVE,
    work,
    ({ applications }) => applications.map(({ name }) => name).join(', ') || 'none was stopped',
  );
}

/** For the report of the run. */
export function stopReport(
  stopped: Quiesced | undefined,
  resumed: ResumeReport | undefined,
  left: LeftReport | undefined,
): StopReport | null {
  if (resumed !== undefined) return stoppedAndStarted(resumed);
  return left === undefined ? null : stoppedAndLeft(left, stopped?.leftAlone ?? []);
}

export function startFailed(error: Error, image: Image): P2cError {
  return new P2cError(`the image ${image.reference} was made, but on the source: ${error.message}`, {
    code: error instanceof P2cError ? error.code : 'quiesce.start-failed',
    ...(error instanceof P2cError && error.hint !== undefined ? { hint: error.hint } : {}),
    // Its message is in this one.
    cause: error.cause,
  });
}

/**
 * Copies while the applications are stopped. Where the watchdog had to start them, what is still being copied is no image
 * of a stopped server: the copying is ended, and that is told as the cause.
 */
export async function whileStopped<Result>(
  stopped: Quiesced | undefined,
  signal: AbortSignal,
  copy: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (stopped === undefined) return copy(signal);
  try {
    return await copy(AbortSignal.any([signal, stopped.lost]));
  } catch (error) {
    throw stopped.lost.aborted && !signal.aborted ? stopped.lost.reason : error;
  }
}
