import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Run } from '../../src/fleet/run.ts';
import { runFolder } from '../../src/fleet/runs.ts';
import { promisedElsewhere } from '../../src/pipeline/other-runs.ts';
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
    room.ask({ host: 'a', bytes: 50 * GB }, () => t.fail('it waits for nobody')),
    { code: 'store.full' },
  );
  t.regex(error.message, /the image needs 50\.0 GB and .* has \S+ GB free beside the reserve of/);
});

test('a host waits while others have what it needs, is told why, and begins when they are over', async (t) => {
  const room = await roomWith(t, (free) => free - 50 * GB);
  await room.ask({ host: 'a', bytes: 30 * GB }, () => t.fail('it has room'));
  let reason = '';
  let begun = false;
  // It would look again after the test, where nothing is any more.
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const told = new Promise<void>((resolve) => {
    const tell = (text: string): void => {
      reason = text;
      resolve();
    };
    const waiting = room.ask({ host: 'b', bytes: 40 * GB }, tell, stop.signal);
    void waiting.then(
      () => {
        begun = true;
      },
      () => {},
    );
  });
  await told;
  t.regex(reason, /^for room: it needs 40\.0 GB, and of \S+ GB free in the store 30\.0 GB are promised to others$/);
  t.false(begun);
  room.giveBack('a');
  await t.notThrowsAsync(room.ask({ host: 'b', bytes: 40 * GB }, () => {}));
});

test('two hosts that ask at the same moment are not promised the same bytes', async (t) => {
  const room = await roomWith(t, (free) => free - 50 * GB);
  let waits = 0;
  const stop = new AbortController();
  const ask = (host: string) => room.ask({ host, bytes: 30 * GB }, () => stop.abort(++waits), stop.signal);
  const ends = await Promise.allSettled([ask('a'), ask('b')]);
  t.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.is(waits, 1);
});

const RUN = '20261121-220000-abcd';

/** A run of one host that plans 30 GB, has captured 10 of them, and is under way until the test ends. */
async function otherRun(t: ExecutionContext, root: string): Promise<void> {
  const run = await Run.open(runFolder(root, RUN), RUN);
  t.teardown(() => run[Symbol.asyncDispose]());
  const host = 'far';
  const hosts = [{ name: host, target: 'root@far:22', image: 'far:1' }];
  await run.record({ event: 'run-started', version: '0.1.0', verb: 'migrate', hosts });
  await run.record({ event: 'host-started', host, attempt: 1 });
  await run.record({ event: 'host-planned', host, entries: 1, bytes: 30 * GB, tarBytes: 30 * GB, parts: 3 });
  const part = { part: 0, parts: 3, key: 'k', digest: 'sha256:0', bytes: 10 * GB };
  await run.record({ event: 'part-captured', host, ...part });
}

test('what another run on the store has planned before is not free, and goes down as it captures', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'p2c-room-'));
  t.teardown(() => rm(root, { recursive: true }));
  const before = Date.now() - 1000;
  await otherRun(t, root);
  const later = Date.now() + 1000;
  t.is(await promisedElsewhere(root, '20261121-230000-abcd', later), 20 * GB);
  t.is(await promisedElsewhere(root, '20261121-230000-abcd', before), 0, 'who planned first goes first');
  t.is(await promisedElsewhere(root, RUN, later), 0, 'its own is counted by the run itself');
  const free = await new Room(root).free();
  const room = new Room(root, free - 50 * GB, (at) => promisedElsewhere(root, '20261121-230000-abcd', at));
  await room.ask({ host: 'a', bytes: 25 * GB, planned: later }, () => t.fail('it has room'));
  const stop = new AbortController();
  const tooMuch = room.ask(
    { host: 'a', bytes: 40 * GB, planned: later },
    () => stop.abort(new Error('waits')),
    stop.signal,
  );
  await t.throwsAsync(tooMuch, { message: 'waits' });
});

test('a run that was killed holds nothing back', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'p2c-room-'));
  t.teardown(() => rm(root, { recursive: true }));
  const run = await Run.open(runFolder(root, RUN), RUN);
  await run.record({ event: 'run-started', version: '0.1.0', verb: 'migrate', hosts: [] });
  await run[Symbol.asyncDispose]();
  t.is(await promisedElsewhere(root, '20261121-230000-abcd', Date.now() + 1000), 0);
});

test('who waits can be interrupted', async (t) => {
  const room = await roomWith(t, (free) => free - 50 * GB);
  await room.ask({ host: 'a', bytes: 30 * GB }, () => {});
  const stop = new AbortController();
  const waiting = room.ask({ host: 'b', bytes: 40 * GB }, () => stop.abort(new Error('interrupted')), stop.signal);
  await t.throwsAsync(waiting, { message: 'interrupted' });
});
