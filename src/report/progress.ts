/** How far a long transfer is: bytes, rate, share, time left. */
import { formatBytes, formatRate, formatTimeLeft } from './units.ts';

export class Progress {
  readonly #total: number;
  readonly #started = performance.now();
  #done = 0;

  /** @param total bytes expected; 0 where nobody knows. */
  constructor(total: number) {
    this.#total = total;
  }

  add(bytes: number): void {
    this.#done += bytes;
  }

  /** In bytes; without an end where nobody knows it. */
  get share(): { readonly done: number; readonly total?: number } {
    return this.#total <= 0 ? { done: this.#done } : { done: this.#done, total: this.#total };
  }

  /** `1.20 GB of 2.20 GB (54%), 290 MB/s, 3.4 s left`. */
  toString(): string {
    const elapsed = performance.now() - this.#started;
    const rate = formatRate(this.#done, elapsed);
    if (this.#total <= 0) return `${formatBytes(this.#done)}, ${rate}`;
    const share = Math.min(1, this.#done / this.#total);
    const told = [`${formatBytes(this.#done)} of ${formatBytes(this.#total)} (${Math.floor(share * 100)}%)`, rate];
    return [...told, formatTimeLeft(share, elapsed)].filter((part) => part !== '').join(', ');
  }
}
