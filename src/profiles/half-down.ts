/**
 * An application whose stop is not known to have ended well. The stop may be at work on it yet, though it looks well: its
 * start is sent at once where something is missing, and it is looked at for as long again as the stop was to take.
 */
import { notDown, notUp, type StopTask } from './application.ts';
import { type Left, leftCommand, parseLeft } from './left.ts';
import { askOf, Interval } from './looking.ts';
import { pause } from './pause.ts';
import { formatSeconds } from './quantity.ts';
import type { Stopped } from './resume.ts';
import type { Started } from './run-step.ts';
import { OutOfReach, type Scene } from './step-execution.ts';

/** Starts it: all its steps. @returns what failed. */
type Start<Failure> = (from: Started) => Promise<Failure[]>;

export class HalfDown<Failure> {
  readonly #scene: Scene;
  readonly #item: Stopped;
  readonly #start: Start<Failure>;
  readonly #until: number;
  #seen: Left | undefined;
  #failures: Failure[] = [];
  #settled = false;

  /** @param stop the step of it that did not end well. */
  constructor(scene: Scene, item: Stopped, stop: StopTask, start: Start<Failure>) {
    this.#scene = scene;
    this.#item = item;
    this.#start = start;
    this.#until = performance.now() + stop.step.timeout;
  }

  /** True once the stop cannot take it down any more. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Of the last start that was needed. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** Looks once, and starts it where that is needed. @throws OutOfReach. */
  async look(): Promise<void> {
    const before = this.#seen;
    const left = await this.#left();
    const isDown = left === 'none' || (left === 'unknown' && (await this.#isDown()));
    // What outlived the stop may have the name that is looked for, and then nothing is missing.
    const outlived = left === 'other' && before !== 'other';
    const gone = before === 'main' && left !== 'main';
    if (before === undefined || outlived || gone || (await this.#isMissing())) {
      this.#failures = await this.#start(outlived ? 'outlived' : 'halfDown');
      this.#settled = isDown;
    }
    this.#seen = left;
  }

  /** Looks until it is {@link settled}. @throws OutOfReach. */
  async watch(): Promise<void> {
    const rest = this.#until - performance.now();
    if (!this.#settled && rest > 0) {
      const { name } = this.#item.application;
      this.#scene.tell(`${name} may yet go down by the stop that failed: watched for ${formatSeconds(rest)}`);
    }
    const interval = new Interval();
    while (!this.#settled) {
      const isLast = performance.now() >= this.#until;
      await this.look();
      this.#settled ||= isLast;
      if (!this.#settled) await pause(interval.next());
    }
  }

  async #left(): Promise<Left> {
    const { session, place, lease } = this.#scene;
    const { name, number } = this.#item.application;
    try {
      const { code, stdout } = await session.run(leftCommand(place, lease.token, name, number));
      if (code === 0) return parseLeft(stdout);
    } catch (cause) {
      throw new OutOfReach('the source does not answer', { cause });
    }
    throw new OutOfReach('the lease ran out');
  }

  async #isDown(): Promise<boolean> {
    const { name, stop } = this.#item.application;
    const down = stop.flatMap((task) => task.down);
    if (down.length === 0) return false;
    return notDown(down, await askOf(this.#scene, `see whether ${name} is down`, down)).length === 0;
  }

  async #isMissing(): Promise<boolean> {
    const { name, start } = this.#item.application;
    const up = start.flatMap((task) => task.up);
    if (up.length === 0) return false;
    return notUp(up, await askOf(this.#scene, `see whether ${name} is up`, up)).length > 0;
  }
}
