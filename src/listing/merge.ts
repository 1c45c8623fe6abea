/** Walks sorted streams of entries side by side. */
import type { Entry } from './entry.ts';
import { comparePaths } from './path.ts';

const BATCH = 512;

/** An entry, or its path alone. */
type Placed = Pick<Entry, 'path'>;

/** One stream, an entry at a time, without a promise for each. */
class Cursor<Item extends Placed> {
  readonly #batches: AsyncIterator<readonly Item[]>;
  #batch: readonly Item[] = [];
  #index = 0;
  /** Among the streams of a merge. */
  readonly order: number;

  constructor(batches: AsyncIterable<readonly Item[]>, order = 0) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.order = order;
  }

  /** The entry the cursor stands at; undefined at the end, or when `refill` must be awaited first. */
  get entry(): Item | undefined {
    return this.#batch[this.#index];
  }

  /** Moves on. @returns false when the batch is used up and `refill` must be awaited. */
  next(): boolean {
    this.#index += 1;
    return this.#index < this.#batch.length;
  }

  /** @returns false at the end of the stream. */
  async refill(): Promise<boolean> {
    do {
      const result = await this.#batches.next();
      if (result.done === true) {
        this.#batch = [];
        return false;
      }
      this.#batch = result.value;
      this.#index = 0;
    } while (this.#batch.length === 0);
    return true;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

/** Merges sorted streams into one; of entries with the same path, the one from the last stream stays. */
export async function* mergeEntries<Item extends Placed>(
  streams: readonly AsyncIterable<readonly Item[]>[],
): AsyncGenerator<readonly Item[]> {
  const cursors = streams.map((stream, order) => new Cursor(stream, order));
  try {
    const live: Cursor<Item>[] = [];
    for (const cursor of cursors) if (await cursor.refill()) live.push(cursor);
    const heap = new Heap(live);
    let out: Item[] = [];
    for (let top = heap.top; top !== undefined; top = heap.top) {
      const { entry } = top;
      if (entry === undefined) break;
      const last = out.at(-1);
      if (last !== undefined && last.path === entry.path) out[out.length - 1] = entry;
      else out.push(entry);
      if (top.next() || (await top.refill())) heap.settle();
      else heap.drop();
      if (out.length > BATCH) {
        // The last one stays back: the next stream may hold its path too.
        const kept = out.pop();
        yield out;
        out = kept === undefined ? [] : [kept];
      }
    }
    if (out.length > 0) yield out;
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

/** Cursors, the one at the lowest path on top; of several at one path, the first stream's. */
class Heap<Item extends Placed> {
  readonly #cursors: Cursor<Item>[];

  constructor(cursors: Cursor<Item>[]) {
    this.#cursors = cursors;
    for (let at = cursors.length >> 1; at >= 0; at -= 1) this.#sink(at);
  }

  get top(): Cursor<Item> | undefined {
    return this.#cursors[0];
  }

  /** The top has moved on. */
  settle(): void {
    this.#sink(0);
  }

  /** The top has ended. */
  drop(): void {
    const last = this.#cursors.pop();
    if (last === undefined || this.#cursors.length === 0) return;
    this.#cursors[0] = last;
    this.#sink(0);
  }

  #sink(from: number): void {
    const cursors = this.#cursors;
    for (let at = from; ; ) {
      let lowest = at;
      if (this.#isBefore(2 * at + 1, lowest)) lowest = 2 * at + 1;
      if (this.#isBefore(2 * at + 2, lowest)) lowest = 2 * at + 2;
      const [sinking, rising] = [cursors[at], cursors[lowest]];
      if (lowest === at || sinking === undefined || rising === undefined) return;
      cursors[at] = rising;
      cursors[lowest] = sinking;
      at = lowest;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#cursors[a], this.#cursors[b]];
    if (left?.entry === undefined || right?.entry === undefined) return false;
    const order = comparePaths(left.entry.path, right.entry.path);
    return order < 0 || (order === 0 && left.order < right.order);
  }
}

/** A path in the older listing, the newer, or both. */
export interface Pair {
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** Pairs two sorted listings by path: what every comparison of listings is made of. */
export async function* pairEntries(
  before: AsyncIterable<readonly Entry[]>,
  after: AsyncIterable<readonly Entry[]>,
): AsyncGenerator<readonly Pair[]> {
  const left = new Cursor(before);
  const right = new Cursor(after);
  try {
    let leftLive = await left.refill();
    let rightLive = await right.refill();
    let out: Pair[] = [];
    while (leftLive || rightLive) {
      const order = comparePairs(left.entry, right.entry);
      out.push({ before: order <= 0 ? left.entry : undefined, after: order >= 0 ? right.entry : undefined });
      if (order <= 0 && !left.next()) leftLive = await left.refill();
      if (order >= 0 && !right.next()) rightLive = await right.refill();
      if (out.length >= BATCH) {
        yield out;
        out = [];
      }
    }
    if (out.length > 0) yield out;
  } finally {
    await left.close();
    await right.close();
  }
}

function comparePairs(a: Entry | undefined, b: Entry | undefined): number {
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return comparePaths(a.path, b.path);
}
