/** JSON that is longer than memory should hold: made in pieces, from a value in which a {@link LongArray} may stand. */
import { jsonText } from '../printable.ts';

/** In the place of an array: its items come in batches, when its turn comes. */
export class LongArray {
  readonly batches: AsyncIterable<readonly unknown[]>;

  constructor(batches: AsyncIterable<readonly unknown[]>) {
    this.batches = batches;
  }
}

/** The text that `jsonText` would make, were everything at hand, in pieces of any size. */
export async function* jsonPieces(value: unknown): AsyncGenerator<string> {
  if (value instanceof LongArray) {
    yield '[';
    let between = '';
    for await (const batch of value.batches) {
      if (batch.length === 0) continue;
      yield `${between}${jsonText(batch).slice(1, -1)}`;
      between = ',';
    }
    yield ']';
  } else if (!holdsLong(value)) yield jsonText(value);
  else if (Array.isArray(value)) {
    yield '[';
    for (const [index, item] of value.entries()) {
      if (index > 0) yield ',';
      yield* jsonPieces(item ?? null);
    }
    yield ']';
  } else {
    yield '{';
    let between = '';
    for (const [key, item] of membersOf(value)) {
      if (item === undefined) continue;
      yield `${between}${jsonText(key)}:`;
      yield* jsonPieces(item);
      between = ',';
    }
    yield '}';
  }
}

/** What holds none is left to `jsonText` as a whole. */
function holdsLong(value: unknown): boolean {
  return value instanceof LongArray || membersOf(value).some(([, item]) => holdsLong(item));
}

function membersOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
