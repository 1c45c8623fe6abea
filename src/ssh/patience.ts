/** A time limit that stands still while a person types, and that any failure can end at once. */
import { P2cError } from '../errors.ts';

export class Patience {
  /** Rejects when the time is up or `giveUp` was called; never resolves. */
  readonly exhausted: Promise<never>;
  /** Ends the wait with an error; only the first counts. */
  giveUp: (error: unknown) => void = () => {};
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs milliseconds; they begin anew after each pause, as the other side's turn does. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.exhausted = new Promise<never>((_resolve, reject) => {
      this.giveUp = reject;
    });
    this.exhausted.catch(() => {});
    this.#start();
  }

  /** Does something that takes a person's time. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#start();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    const error = new P2cError(`no answer within ${this.#limitMs / 1000} s`, { code: 'ssh.timeout' });
    this.#timer = setTimeout(() => this.giveUp(error), this.#limitMs);
  }
}
