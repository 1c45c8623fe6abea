/**
 * Room on the store's filesystem for the hosts of a run. Each asks before anything of it is stopped: a store that fills up
 * after an hour would have cost that hour of downtime. What others were promised and have not written yet is not free.
 */
import { statfs } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { P2cError } from '../errors.ts';
import { formatBytes } from '../report/units.ts';

/** A filesystem fills and empties without telling us. */
const LOOK_AGAIN_MS = 2000;
/** Manifests, receipts, deltas. */
const BESIDE = 1.02;

export interface Need {
  readonly host: string;
  readonly bytes: number;
  /** When that was known, in milliseconds since 1970: hosts of other runs that planned earlier go before. */
  readonly planned?: number;
}

export class Room {
  readonly #root: string;
  readonly #reserve: number;
  readonly #elsewhere: (before: number) => Promise<number>;
  /** Bytes that hosts were promised and have not written. */
  readonly #promised = new Map<string, number>();

  /**
   * @param reserve bytes that stay free.
   * @param elsewhere bytes that others than this run's hosts were promised before a moment, in milliseconds since 1970.
   */
  constructor(root: string, reserve = 0, elsewhere: (before: number) => Promise<number> = async () => 0) {
    this.#root = root;
    this.#reserve = reserve;
    this.#elsewhere = elsewhere;
  }

  /**
   * Promises a host the bytes, once they are free. It waits only while others write, who may need less than was planned.
   * @param tellWaiting called once, with why. @throws P2cError `store.full` where it would wait for nobody.
   */
  async ask(
    { host, bytes, planned = Date.now() }: Need,
    tellWaiting: (reason: string) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    let told = false;
    for (;;) {
      signal?.throwIfAborted();
      this.#promised.delete(host);
      const elsewhere = await this.#elsewhere(planned);
      const free = await this.free();
      // From here to the promise there is no pause in which another host could be promised the same bytes.
      const promised = [...this.#promised.values()].reduce((sum, each) => sum + each, elsewhere);
      if (free - promised >= bytes * BESIDE) {
        this.#promised.set(host, bytes);
        return;
      }
      if (this.#promised.size === 0 && elsewhere === 0) throw this.#full(bytes, free);
      const reason = `for room: it needs ${formatBytes(bytes)}, and of ${formatBytes(free)} free in the store ${formatBytes(promised)} are promised to others`;
      if (!told) tellWaiting(reason);
      told = true;
      await setTimeout(LOOK_AGAIN_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }

  /** Bytes that arrived are on the disk, and no promise any more. */
  arrived(host: string, bytes: number): void {
    const left = this.#promised.get(host);
    if (left !== undefined) this.#promised.set(host, Math.max(0, left - bytes));
  }

  /** The host is over. */
  giveBack(host: string): void {
    this.#promised.delete(host);
  }

  /** Bytes beyond the reserve. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return Math.max(0, bavail * bsize - this.#reserve);
  }

  #full(bytes: number, free: number): P2cError {
    const less = this.#reserve === 0 ? '' : ', or a smaller --reserve';
    const kept = this.#reserve === 0 ? '' : ` beside the reserve of ${formatBytes(this.#reserve)}`;
    return new P2cError(
      `the image needs ${formatBytes(bytes)} and ${this.#root} has ${formatBytes(free)} free${kept}`,
      {
        code: 'store.full',
        hint: `free some space, set P2C_ROOT to a larger filesystem, or leave more out with --exclude${less}`,
      },
    );
  }
}
