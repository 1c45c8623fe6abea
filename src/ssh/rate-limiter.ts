/** Bytes a second that all streams given the same limiter take together. */
import { setTimeout } from 'node:timers/promises';

export class RateLimiter {
  readonly bytesPerSecond: number;
  /** When the bytes taken so far have had their time. */
  #paidUntil = 0;

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /**
   * Resolves when the bytes that came have had their time: who waits for it before reading on takes no more than the rate.
   * Whoever comes later waits for those before.
   */
  async take(bytes: number): Promise<void> {
    const now = performance.now();
    this.#paidUntil = Math.max(now, this.#paidUntil) + (bytes / this.bytesPerSecond) * 1000;
    const waitMs = this.#paidUntil - now;
    // The connection keeps the process alive; a wait that nobody has any more must not.
    if (waitMs >= 1) await setTimeout(waitMs, undefined, { ref: false });
  }
}
