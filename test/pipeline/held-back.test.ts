import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { heldBack } from '../../src/pipeline/stages/held-back.ts';

async function* chunks(count: number, told: (sent: number) => void = () => {}): AsyncGenerator<Buffer> {
  for (let sent = 1; sent <= count; sent += 1) {
    told(sent);
    yield Buffer.from(`${sent};`);
    await sleep(1);
  }
}

async function textOf(output: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of output) all.push(chunk);
  return Buffer.concat(all).toString();
}

test('nothing is given before it may be, no more than the limit is taken, and then all of it comes in its order', async (t) => {
  let open = (): void => {};
  const ready = new Promise<void>((resolve) => {
    open = resolve;
  });
  let sent = 0;
  let given = '';
  const output = heldBack(
    chunks(20, (count) => {
      sent = count;
    }),
    ready,
    10,
  );
  const all = (async () => {
    for await (const chunk of output) given += chunk.toString();
  })();
  await sleep(50);
  t.is(given, '');
  t.is(sent, 5);
  open();
  await all;
  t.is(given, Array.from({ length: 20 }, (_, index) => `${index + 1};`).join(''));
});

test('what ends before it may be given waits too', async (t) => {
  let isReady = false;
  const ready = sleep(30).then(() => {
    isReady = true;
  });
  const text = textOf(heldBack(chunks(3), ready, 1000));
  t.is(await text, '1;2;3;');
  t.true(isReady);
  t.is(await textOf(heldBack(chunks(0), Promise.resolve(), 1000)), '');
});

test('where what it waits for fails, so does it, and the sender is left', async (t) => {
  let left = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        yield Buffer.from('x');
        await sleep(1);
      }
    } finally {
      left = true;
    }
  }
  const failing = sleep(10).then(() => {
    throw new Error('no rules');
  });
  await t.throwsAsync(textOf(heldBack(endless(), failing, 1000)), { message: 'no rules' });
  t.true(left);
});
