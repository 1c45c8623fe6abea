/** The first paths of many that come in any order, each once, so that what is shown of them is the same at each look. */
import type { ByteString } from '../printable.ts';
import { comparePaths } from './path.ts';

export class Lowest<Item extends { readonly path: ByteString }> {
  readonly #limit: number;
  readonly #items: Item[] = [];

  /** @param limit how many are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(item: Item): void {
    const items = this.#items;
    const last = items.at(-1);
    if (items.length === this.#limit && (last === undefined || comparePaths(item.path, last.path) >= 0)) return;
    let at = items.length;
    while (at > 0 && isBefore(item, items[at - 1])) at -= 1;
    if (items[at - 1]?.path === item.path) return;
    items.splice(at, 0, item);
    if (items.length > this.#limit) items.pop();
  }

  /** In path order. */
  get items(): readonly Item[] {
    return this.#items;
  }
}

function isBefore(item: { readonly path: ByteString }, other: { readonly path: ByteString } | undefined): boolean {
  return other !== undefined && comparePaths(item.path, other.path) < 0;
}

/** {@link Lowest}, of paths alone. */
export class LowestPaths {
  readonly #lowest: Lowest<{ readonly path: ByteString }>;

  constructor(limit: number) {
    this.#lowest = new Lowest(limit);
  }

  add(path: ByteString): void {
    this.#lowest.add({ path });
  }

  get paths(): ByteString[] {
    return this.#lowest.items.map(({ path }) => path);
  }
}
