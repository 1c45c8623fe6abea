import test from 'ava';
import { jsonText } from '../../src/printable.ts';
import { jsonPieces, LongArray } from '../../src/report/long-json.ts';

async function textOf(value: unknown): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of jsonPieces(value)) pieces.push(piece);
  return pieces.join('');
}

async function* batches(...all: readonly (readonly unknown[])[]): AsyncGenerator<readonly unknown[]> {
  yield* all;
}

test('the text is that of jsonText', async (t) => {
  for (const value of [null, 1, 'a"\n\u2028', [], {}, { a: undefined, b: [1, { c: 'd' }] }]) {
    t.is(await textOf(value), jsonText(value));
  }
});

test('a long array stands wherever an array may, and comes in batches', async (t) => {
  const long = new LongArray(batches([], ['one "1"', 'two'], [], [{ three: 3 }], []));
  const value = { before: 1, not: undefined, list: [undefined, { 'key "': long }], after: [new LongArray(batches())] };
  t.is(
    await textOf(value),
    JSON.stringify({ before: 1, list: [null, { 'key "': ['one "1"', 'two', { three: 3 }] }], after: [[]] }),
  );
  t.is(await textOf(new LongArray(batches([1], [2]))), '[1,2]');
});

test('an array is read when its turn comes, and no faster than it is taken', async (t) => {
  let made = 0;
  const endless = async function* (): AsyncGenerator<readonly number[]> {
    for (;;) {
      made += 1;
      yield [made];
    }
  };
  for await (const piece of jsonPieces({ first: 'x', endless: new LongArray(endless()) })) {
    if (piece === ',5') break;
  }
  t.is(made, 5);
});
