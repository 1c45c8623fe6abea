/** Stops the applications that profiles name, and starts them again. */
import { P2cError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import { Owed } from '../../profiles/owed.ts';
import { type LeftReport, type Quiesced, quiesce, type ResumeReport } from '../../profiles/quiesce.ts';
import { isWorse, type StopReport, stoppedAndLeft, stoppedAndStarted } from '../../report/stop-report.ts';
import { formatDuration } from '../../report/units.ts';
import type { Session } from '../../ssh/session.ts';
import type { Target } from '../../ssh/target.ts';
import { leaving } from '../leavings.ts';
import { rememberStart, rememberStop } from '../memory.ts';
import type { MigrationRequest } from '../request.ts';
import type { Scene } from '../scene.ts';
import type { Show } from '../stage.ts';

export const STOP = 'Stop the applications';
export const START = 'Start the applications again';
export const LEAVE = 'Leave the applications stopped';

/** Those of a source that the profiles name: from their stop until they run again, or are left down. */
export class Applications {
  readonly #scene: Scene;
  /** Undefined while nothing was stopped, and where nothing is to be. */
  #quiesced: Quiesced | undefined;
  #resumed: ResumeReport | undefined;
  #failure: Error | undefined;
  #left: LeftReport | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** True once they were stopped, also where none of them ran. */
  get stopped(): boolean {
    return this.#quiesced !== undefined;
  }

  /** Why they did not start again. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** For the report of the run. */
  get report(): StopReport | null {
    if (this.#resumed !== undefined) return stoppedAndStarted(this.#resumed);
    return this.#left === undefined ? null : stoppedAndLeft(this.#left, this.#quiesced?.leftAlone ?? []);
  }

  /** Does nothing where no profile applies, or they are to stay up. @throws P2cError `quiesce.*`. */
  async stop(): Promise<void> {
    const { request, survey, memory } = this.#scene;
    if (!request.stop || request.profiles.length === 0) return;
    this.#quiesced = await stopApplications(survey.session, request, this.#scene);
    rememberStop(memory, this.#quiesced);
  }

  /**
   * Copies, while they are stopped where they are. Where the watchdog had to start them, what is still being copied is no
   * image of a stopped server: the copying is ended, and that is told as the cause.
   */
  async whileStopped<Result>(copy: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { signal } = this.#scene;
    if (this.#quiesced === undefined) return copy(signal);
    const { lost } = this.#quiesced;
    try {
      return await copy(AbortSignal.any([signal, lost]));
    } catch (error) {
      throw lost.aborted && !signal.aborted ? lost.reason : error;
    }
  }

  /** @throws P2cError `quiesce.*` where they are not known to have been down until now. */
  async confirm(): Promise<void> {
    await this.#quiesced?.confirm();
  }

  /** A start that fails does not cost the capture: the image is made first, and {@link requireStarted} ends the run. */
  async start(): Promise<void> {
    const { show, memory } = this.#scene;
    const quiesced = this.#quiesced;
    if (quiesced === undefined) return;
    try {
      const report = await show.stage(START, () => quiesced.resume(), describeStart);
      for (const note of report.notes) show.note(note);
      this.#resumed = report;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      return;
    }
    rememberStart(memory, this.#resumed);
  }

  /**
   * What did not start may have come up while the image was made, by itself or by the watchdog.
   * @throws P2cError with what hindered the start; the image is there.
   */
  async requireStarted(image: Image): Promise<void> {
    if (this.#failure === undefined) return;
    const { show, memory } = this.#scene;
    try {
      this.#resumed = hasFailed(this.#failure) ? await this.#quiesced?.lookAgain() : undefined;
    } catch (error) {
      // What the link does now hides nothing of what was the matter.
      throw startFailed(hasFailed(error) ? error : this.#failure, image);
    }
    if (this.#resumed === undefined) throw startFailed(this.#failure, image);
    for (const note of this.#resumed.notes) show.note(note);
    rememberStart(memory, this.#resumed);
  }

  /**
   * For the final cutover, and only once the image is there.
   * @throws P2cError `quiesce.lease-lost`, `quiesce.lease-failed`: they run again, or will.
   */
  async leave(image: Image): Promise<void> {
    const quiesced = this.#quiesced;
    if (quiesced === undefined) return;
    const left = await this.#scene.show.stage(
      LEAVE,
      () =>
        quiesced.leave().catch((cause: unknown) => {
          throw notLeft(cause, image);
        }),
      ({ applications }) => applications.map(({ name }) => name).join(', ') || 'none was stopped',
    );
    this.#left = left;
  }
}

/** Whatever it stops is started again on every way out, or told of as left stopped. @throws P2cError `quiesce.*`. */
export async function stopApplications(
  session: Session,
  { target, profiles, leaseMs }: Pick<MigrationRequest, 'target' | 'profiles' | 'leaseMs'>,
  { show, held, signal, memory }: Pick<Scene, 'show' | 'held' | 'signal'> & Partial<Pick<Scene, 'memory'>>,
): Promise<Quiesced> {
  const onEvent = (line: string): void => show.note(line);
  const owed = new Owed();
  // Given back last: after the applications were started.
  held.defer(leaving(() => whatIsStopped(target, owed)));
  const stopping = show.stage(
    STOP,
    async () => {
      const quiesced = await quiesce(session, profiles, { leaseMs, signal, onEvent, owed, run: memory?.run });
      held.defer(() => startOnTheWayOut(quiesced, owed, show));
      return quiesced;
    },
    ({ stopped }) => stopped.join(', ') || 'none of them runs',
  );
  return stopping.catch(async (error: unknown) => {
    // The stop was broken off, and what was down by then was started in its course.
    if (owed.settled) await show.onTheWayOut(START, async () => {});
    throw error;
  });
}

/** Nothing to be shown where all runs, or is left stopped on purpose. */
async function startOnTheWayOut(quiesced: Quiesced, owed: Owed, show: Show): Promise<void> {
  const start = async (): Promise<void> => quiesced[Symbol.asyncDispose]();
  const { names } = owed;
  if (names.length === 0 || owed.remainingMs === undefined) return start();
  return show.onTheWayOut(START, start, () => names.toReversed().join(', '));
}

/** @returns undefined where all runs. */
export function whatIsStopped({ name }: Target, { names, remainingMs }: Owed): string | undefined {
  if (names.length === 0) return undefined;
  const what = `on ${name}, ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} left stopped`;
  if (remainingMs === undefined) return `${what}, and nobody starts ${names.length === 1 ? 'it' : 'them'} again`;
  const by = new Date(Date.now() + remainingMs).toTimeString().slice(0, 8);
  return `${what}: the watchdog there starts what is down by about ${by} (in ${formatDuration(remainingMs)}), and tells the next run of p2c what it did`;
}

function describeStart({ applications, health }: ResumeReport): string {
  if (applications.length === 0) return 'none was stopped';
  const sick = health.filter(isWorse).map(({ application, check }) => `${application} is not healthy (${check})`);
  return [...applications.map((app) => `${app.name} was down ${formatDuration(app.downMs)}`), ...sick].join(', ');
}

function hasFailed(error: unknown): error is P2cError {
  return error instanceof P2cError && error.code === 'quiesce.start-failed';
}

function notLeft(cause: unknown, image: Image): P2cError {
  return new P2cError(
    `the image ${image.reference} was made, but the applications could not be left stopped: they are started again`,
    { code: cause instanceof P2cError ? cause.code : 'quiesce.lease-failed', hint: 'stop them by hand', cause },
  );
}

function startFailed(error: Error, image: Image): P2cError {
  return new P2cError(`the image ${image.reference} was made, but on the source: ${error.message}`, {
    code: error instanceof P2cError ? error.code : 'quiesce.start-failed',
    ...(error instanceof P2cError && error.hint !== undefined ? { hint: error.hint } : {}),
    // Its message is in this one.
    cause: error.cause,
  });
}
