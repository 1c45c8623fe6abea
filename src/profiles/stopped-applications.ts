/** What a run holds while applications are stopped: the promise to start them, and the ways to keep it. */
import { messageOf } from '../errors.ts';
import { type Before, compareWith, type Waiting } from './comparison.ts';
import { lookAgain, type ResumeReport, type StartReport, type Stopped, startAgain } from './resume.ts';
import type { Scene } from './step-execution.ts';
import { stepByHand } from './steps.ts';

export interface LeftReport {
  /** In the order in which they would be started, each with the commands for it. */
  readonly applications: readonly {
    readonly name: string;
    readonly downMs: number;
    readonly byHand: readonly string[];
  }[];
}

/** Applications that are stopped and will be started again. Disposing of it starts them. */
export interface Quiesced extends AsyncDisposable {
  /** Names of what was stopped, in that order. */
  readonly stopped: readonly string[];
  /** Names of what did not run before, and so was left alone. */
  readonly leftAlone: readonly string[];
  /** Aborts, with a P2cError `quiesce.lease-lost`, once the applications may run again: a capture under way is worthless. */
  readonly lost: AbortSignal;
  /**
   * Makes sure that they were still stopped up to now: what was copied is of a still system.
   * @throws P2cError `quiesce.lease-lost`.
   */
  confirm(): Promise<void>;
  /**
   * Hands the lease back and leaves them stopped: nothing starts them any more but a person, or the server's next boot.
   * @throws P2cError `quiesce.lease-lost`, `quiesce.lease-failed`: then they are started when this is disposed of.
   */
  leave(): Promise<LeftReport>;
  /**
   * Starts them in reverse order, hands the lease back, and looks whether all is as it was. The second call gives what
   * the first gave.
   * @throws P2cError `quiesce.start-failed`, `quiesce.link-lost`.
   */
  resume(): Promise<ResumeReport>;
  /**
   * Once more, after `resume` threw `quiesce.start-failed`: what did not start may have come up since.
   * @returns undefined where one of them is not up, or not known to be. @throws P2cError `quiesce.start-failed`, and what the link does.
   */
  lookAgain(): Promise<ResumeReport | undefined>;
}

export class StoppedApplications implements Quiesced {
  readonly #scene: Scene;
  readonly #stopped: readonly Stopped[];
  readonly #before: Before;
  readonly #waiting: Waiting;
  readonly leftAlone: readonly string[];
  #starting: Promise<StartReport> | undefined;
  #resuming: Promise<ResumeReport> | undefined;
  #left = false;

  /** @param waiting for what is not as it was; what was stopped is started all the same. */
  constructor(
    scene: Scene,
    stopped: readonly Stopped[],
    leftAlone: readonly string[],
    before: Before,
    waiting: Waiting,
  ) {
    this.#scene = scene;
    this.#stopped = stopped;
    this.leftAlone = leftAlone;
    this.#before = before;
    this.#waiting = waiting;
  }

  get stopped(): string[] {
    return this.#stopped.map(({ application }) => application.name);
  }

  get lost(): AbortSignal {
    return this.#scene.lease.lost;
  }

  confirm(): Promise<void> {
    return this.#scene.lease.confirm();
  }

  async leave(): Promise<LeftReport> {
    await this.#scene.lease.leaveStopped();
    this.#left = true;
    this.#scene.owed.leftStopped();
    return {
      applications: [...this.#stopped].reverse().map(({ application, since }) => ({
        name: application.name,
        downMs: performance.now() - since,
        byHand: application.start.map(({ step }) => stepByHand('start', step)),
      })),
    };
  }

  resume(): Promise<ResumeReport> {
    this.#resuming ??= this.#resume();
    return this.#resuming;
  }

  async lookAgain(): Promise<ResumeReport | undefined> {
    const started = await lookAgain(this.#scene, this.#stopped, this.leftAlone);
    return started === undefined ? undefined : this.#compared(started);
  }

  async #resume(): Promise<ResumeReport> {
    return this.#compared(await this.#start());
  }

  async #compared(started: StartReport): Promise<ResumeReport> {
    try {
      return { ...started, ...(await compareWith(this.#before, this.#scene.session, this.#waiting)) };
    } catch (error) {
      const note = `what runs could not be compared with what ran before: ${messageOf(error)}`;
      return { ...started, notes: [...started.notes, note], health: [], differences: [] };
    }
  }

  #start(): Promise<StartReport> {
    this.#starting ??= startAgain(this.#scene, this.#stopped, this.leftAlone);
    return this.#starting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#left) return;
    // A failure of an earlier resume() was that caller's to tell.
    if (this.#starting === undefined) tellUp(this.#scene, (await this.#start()).applications);
    else await this.#starting.catch(() => {});
  }
}

export function tellUp(scene: Scene, applications: StartReport['applications']): void {
  if (applications.length > 0) scene.tell(`up again: ${applications.map(({ name }) => name).join(', ')}`);
}
