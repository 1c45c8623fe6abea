import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Room } from '../../src/pipeline/room.ts';

async function roomWith(t: ExecutionContext, reserve: (free: number) => number) {
  const root = await mkdtemp(join(tmpdir(), 'p2c-room-'));
  t.teardown(() => rm(root, { recursive: true }));
  const free = await new Room(root).free();
  return new Room(root, reserve(free));
}

const GB = 1e9;

test('what does not fit beside the reserve is refused before anything is stopped', async (t) => {
  const room = await roomWith(t, (free) => free - 5 * GB);
  const error = await t.throwsAsync(
    room.ask('a', 50 * GB, () => t.fail('it waits for nobody')),
    { code: 'store.full' },
  );
  t.regex(error.message, /the image needs 50\.0 GB and .* has \S+ GB free beside the reserve of/);
});

test('a host waits while others have what it needs, is told why, and begins when they are over', async (t) => {
  const room = await roomWith(t, (free) => free - 50 * GB);
  await room.ask('a', 30 * GB, () => t.fail('it has room'));
  let reason = '';
  let begun = false;
  const told = new Promise<void>((resolve) => {
    const waiting = room.ask('b', 40 * GB, (text) => {
      reason = text;
      resolve();
    });
    void waiting.then(() => {
      begun = true;
    });
  });
  await told;
  t.regex(reason, /^for room: it needs 40\.0 GB, and of \S+ GB free in the store 30\.0 GB are promised to others$/);
  t.false(begun);
  room.giveBack('a');
  await t.notThrowsAsync(room.ask('b', 40 * GB, () => {}));
});

test('who waits can be interrupted', async (t) => {
  const room = await roomWith(t, (free) => free - 50 * GB);
  await room.ask('a', 30 * GB, () => {});
  const stop = new AbortController();
  const waiting = room.ask('b', 40 * GB, () => stop.abort(new Error('interrupted')), stop.signal);
  await t.throwsAsync(waiting, { message: 'interrupted' });
});
