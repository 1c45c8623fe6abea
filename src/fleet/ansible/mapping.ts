/** Keys and values of YAML maps as YAML 1.1 has them: an alias stands for its node, and `<<` for the keys of other maps. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';

/** Aliases within aliases grow without bounds: a file of a few lines could stand for a billion keys. */
const MOST_ALIASES = 10_000;
const MAX_DEPTH = 32;

export class Mappings {
  readonly #document: Document;
  #aliases = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  /** The node itself, or the one that an alias stands for. @throws Error where there are too many. */
  node(node: unknown): unknown {
    if (!isAlias(node)) return node;
    this.#aliases += 1;
    if (this.#aliases > MOST_ALIASES) throw new Error('its aliases stand for too much');
    return node.resolve(this.#document);
  }

  /** A map's own keys go before those that are taken over, and of these the earlier. @throws Error */
  pairs(map: YAMLMap, depth = 0): readonly Pair[] {
    const own = map.items.filter((pair) => !isMerge(pair));
    if (own.length === map.items.length) return own;
    if (depth > MAX_DEPTH) throw new Error("its '<<' are nested too deeply");
    const taken = new Map<string, Pair>();
    const known = new Set(own.map(keyOf));
    for (const pair of map.items.filter(isMerge).flatMap(({ value }) => this.#merged(value, depth))) {
      const key = keyOf(pair);
      if (!known.has(key) && !taken.has(key)) taken.set(key, pair);
    }
    return [...taken.values(), ...own];
  }

  #merged(value: unknown, depth: number): readonly Pair[] {
    const node = this.node(value);
    const maps = isSeq(node) ? node.items.map((item) => this.node(item)) : [node];
    return maps.flatMap((each) => {
      if (isMap(each)) return this.pairs(each, depth + 1);
      throw new Error("what its '<<' takes over has no keys");
    });
  }
}

export function keyOf({ key }: { readonly key: unknown }): string {
  return isScalar(key) ? String(key.value) : String(key);
}

/** What the reader of YAML makes of a plain `<<`; a quoted one is a key like others. */
function isMerge({ key }: { readonly key: unknown }): boolean {
  return isScalar(key) && typeof key.value === 'symbol' && key.value.description === '<<';
}
