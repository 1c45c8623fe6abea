/** Stops the applications that profiles name, and starts them again. */
import { P2cError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import { type Quiesced, quiesce, type ResumeReport } from '../../profiles/quiesce.ts';
import { formatDuration } from '../../report/units.ts';
import type { MigrationRequest } from '../request.ts';
import type { Belongings } from '../rollback.ts';
import type { Show } from '../stage.ts';
import type { Survey } from '../survey.ts';

export const STOP = 'Stop the applications';
export const START = 'Start the applications again';

export async function stopApplications(
  request: MigrationRequest,
  { session }: Survey,
  show: Show,
  held: Belongings,
  signal: AbortSignal,
): Promise<Quiesced | undefined> {
  if (!request.stop || request.profiles.length === 0) return undefined;
  const onEvent = (line: string): void => show.note(line);
  return show.stage(
    STOP,
    async () => held.use(await quiesce(session, request.profiles, { leaseMs: request.leaseMs, signal, onEvent })),
    ({ stopped }) => (stopped.length === 0 ? 'none of them runs' : stopped.join(', ')),
  );
}

/** A start that fails does not cost the capture: the image is made first, and the failure ends the run. */
export async function startApplications(
  stopped: Quiesced | undefined,
  show: Show,
): Promise<ResumeReport | Error | undefined> {
  if (stopped === undefined) return undefined;
  try {
    const report = await show.stage(
      START,
      () => stopped.resume(),
      ({ applications }) =>
        applications.map((app) => `${app.name} was down ${formatDuration(app.downMs)}`).join(', ') ||
        'none was stopped',
    );
    for (const note of report.notes) show.note(note);
    return report;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export function startFailed(error: Error, image: Image): P2cError {
  return new P2cError(`the image ${image.reference} was made, but on the source: ${error.message}`, {
    code: error instanceof P2cError ? error.code : 'quiesce.start-failed',
    ...(error instanceof P2cError && error.hint !== undefined ? { hint: error.hint } : {}),
    // Its message is in this one.
    cause: error.cause,
  });
}

/** Where the watchdog had to start the applications, what is still being copied is no image of a stopped server. */
export function untilLost(signal: AbortSignal, stopped: Quiesced | undefined): AbortSignal {
  return stopped === undefined ? signal : AbortSignal.any([signal, stopped.lost]);
}
