/** A batch whose hosts are no servers: what begins, what is tried again, and what one host's end means for the others. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import type { QueueLimits } from '../../src/fleet/queue.ts';
import { Run } from '../../src/fleet/run.ts';
import { runFolder } from '../../src/fleet/runs.ts';
import { Webhook } from '../../src/fleet/webhook.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { type HostOutcome, runHosts } from '../../src/pipeline/fleet.ts';
import { mayHealLater, waitBefore } from '../../src/pipeline/patience.ts';
import { Room } from '../../src/pipeline/room.ts';
import type { RunEvent } from '../../src/report/events/schema.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { startWebServer } from '../helpers/web-server.ts';

const WEBHOOK_PATIENCE_MS = 1500;
const RUN = '20261121-220000-abcd';

interface Batch {
  readonly outcomes: readonly HostOutcome<{ readonly name: string }, string>[];
  readonly events: readonly RunEvent[];
}

interface Manner {
  readonly limits?: Partial<QueueLimits>;
  readonly attempts?: number;
  readonly pre?: string;
  readonly fail?: string;
  readonly webhook?: URL;
  readonly signal?: AbortSignal;
}

async function batch(
  t: ExecutionContext,
  names: readonly string[],
  work: (name: string) => Promise<string>,
  { limits = {}, attempts = 1, pre, fail, webhook: url, signal = new AbortController().signal }: Manner = {},
): Promise<Batch> {
  const root = await temporaryFolder(t);
  await (await ImageStore.open(root, { create: true }))[Symbol.asyncDispose]();
  const events: RunEvent[] = [];
  await using run = await Run.open(runFolder(root, RUN), RUN);
  run.listen((event) => events.push(event));
  await using webhook = url === undefined ? undefined : new Webhook(url, (end) => run.note(end), WEBHOOK_PATIENCE_MS);
  const hosts = names.map((name) => ({ name }));
  const outcomes = await runHosts(hosts, {
    run,
    place: { root, room: new Room(root) },
    hooks: { commands: { ...(pre === undefined ? {} : { pre }), ...(fail === undefined ? {} : { fail }) }, webhook },
    limits: { concurrency: 4, ...limits },
    attempts,
    resumable: true,
    identify: ({ name }) => ({ name, index: names.indexOf(name), started: new Date(), container: undefined }),
    showFor: () => ({ stage: (_, doing) => doing(() => {}), onTheWayOut: (_, doing) => doing(), note: () => {} }),
    work: ({ name }) => work(name),
    exitCode: () => 0,
    signal,
  });
  await webhook?.[Symbol.asyncDispose]();
  return { outcomes, events };
}

function failed(code: string): P2cError {
  return new P2cError(`it failed with ${code}`, { code });
}

const states = ({ outcomes }: Batch): string[] =>
  outcomes.map(
    (outcome) => `${outcome.host.name} ${'error' in outcome ? (outcome.begun ? 'failed' : 'not begun') : 'done'}`,
  );

test("one host's failure leaves the others alone, and what cannot heal is not tried again", async (t) => {
  const tried: string[] = [];
  const ended = await batch(
    t,
    ['a', 'b', 'c'],
    async (name) => {
      tried.push(name);
      if (name === 'b') throw failed('ssh.auth');
      return name;
    },
    { attempts: 5 },
  );
  t.deepEqual(states(ended), ['a done', 'b failed', 'c done']);
  t.deepEqual(tried.sort(), ['a', 'b', 'c']);
});

test('what may heal is begun anew after a wait, which is told', async (t) => {
  let tries = 0;
  const order: string[] = [];
  const ended = await batch(
    t,
    ['a', 'b'],
    async (name) => {
      order.push(name);
      if (name === 'b') return name;
      tries += 1;
      if (tries === 1) throw failed('ssh.lost');
      return name;
    },
    { attempts: 2, limits: { concurrency: 1, maxFailures: 0 } },
  );
  t.deepEqual(states(ended), ['a done', 'b done']);
  t.deepEqual(order, ['a', 'b', 'a'], 'meanwhile another has its place');
  const retrying = ended.events.find(({ event }) => event === 'host-retrying');
  t.like(retrying, { host: 'a', failures: 1, waitMs: 5000 });
});

test('waits grow; a refused key, an unreadable disk and a failed stop do not heal, a lost link and a locked server do', (t) => {
  t.deepEqual([1, 2, 3, 4, 5].map(waitBefore), [5000, 20_000, 80_000, 300_000, 300_000]);
  for (const code of ['ssh.auth', 'capture.unreadable', 'quiesce.stop-failed', 'store.full', 'ssh.host-key'])
    t.false(mayHealLater(failed(code)), code);
  for (const code of ['ssh.lost', 'ssh.refused', 'ssh.timeout', 'quiesce.busy', 'tar.killed'])
    t.true(mayHealLater(failed(code)), code);
  t.false(mayHealLater(new Error('a fault of p2c')));
});

test('fail-fast: those under way end, the others are not begun, and say why', async (t) => {
  const ended = await batch(
    t,
    ['a', 'b', 'c', 'd'],
    async (name) => {
      if (name === 'a') throw failed('ssh.auth');
      return name;
    },
    { limits: { concurrency: 1, maxFailures: 0 } },
  );
  t.deepEqual(states(ended), ['a failed', 'b not begun', 'c not begun', 'd not begun']);
  const given = ended.outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  t.deepEqual(
    given.map((error) => (error instanceof P2cError ? error.code : '')),
    ['ssh.auth', 'fleet.given-up', 'fleet.given-up', 'fleet.given-up'],
  );
});

test('a pre command that fails keeps its host from being begun, and no other', async (t) => {
  const begun: string[] = [];
  const work = async (name: string): Promise<string> => {
    begun.push(name);
    return name;
  };
  const ended = await batch(t, ['a', 'b'], work, { pre: 'test "$P2C_HOST" = b' });
  t.deepEqual(states(ended), ['a failed', 'b done']);
  t.deepEqual(begun, ['b']);
});

test('a webhook that never answers holds up no host for longer than it is waited for, and the run says so', async (t) => {
  const { url, posted } = await startWebServer(t, () => {});
  const names = ['a', 'b', 'c', 'd'];
  const work = async (name: string): Promise<string> => {
    if (name === 'b') throw failed('ssh.auth');
    return name;
  };
  const ended = await batch(t, names, work, { limits: { concurrency: 1 }, webhook: url });
  t.deepEqual(states(ended), ['a done', 'b failed', 'c done', 'd done']);
  t.deepEqual(
    posted
      .map(({ body }) => JSON.parse(body))
      .map(({ host, hook }) => `${host} ${hook}`)
      .sort(),
    ['a post', 'a pre', 'b fail', 'b pre', 'c post', 'c pre', 'd post', 'd pre'],
  );
  const told = ended.events.flatMap((event) => (event.event === 'hook-ended' ? [event] : []));
  t.is(told.length, 8);
  for (const end of told) t.like(end, { hook: 'webhook', exitCode: null, said: 'no answer within 1.5 s' });
});

test('an interruption: what was under way has failed with it, and what was not begun says so', async (t) => {
  const interrupt = new AbortController();
  const reason = new P2cError('interrupted by SIGINT', { code: 'interrupted', exitCode: 130 });
  const ended = await batch(
    t,
    ['heals', 'streams', 'waits'],
    async (name) => {
      if (name === 'heals') throw failed('ssh.lost');
      // As a stream ends that is killed with the interruption, after 'heals' has begun to wait.
      setTimeout(() => interrupt.abort(reason), 100);
      await new Promise((resolve) => interrupt.signal.addEventListener('abort', resolve));
      throw failed('ssh.ended');
    },
    { attempts: 2, limits: { concurrency: 1 }, signal: interrupt.signal },
  );
  t.deepEqual(states(ended), ['heals failed', 'streams failed', 'waits not begun']);
  const errors = ended.outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  t.deepEqual(
    errors.map((error) => (error instanceof P2cError ? `${error.code}: ${error.message}` : '')),
    [
      'interrupted: interrupted by SIGINT',
      'interrupted: interrupted by SIGINT',
      'interrupted: it was not begun: interrupted by SIGINT',
    ],
  );
  const told = ended.events.flatMap((event) => (event.event === 'host-failed' ? [event] : []));
  t.deepEqual(
    told.map(({ host, begun, error }) => `${host} ${begun ?? true} ${error.code}`),
    ['heals true ssh.lost', 'streams true interrupted', 'heals true interrupted', 'waits false interrupted'],
  );
});

test('an interruption ends the pre of a host, which is not begun; its fail may undo what the pre did', async (t) => {
  const marks = await temporaryFolder(t);
  const interruption = new AbortController();
  const waiting = (async () => {
    while (!existsSync(join(marks, 'pre-b'))) await pause(20);
    interruption.abort(new P2cError('interrupted', { code: 'interrupted', exitCode: 130 }));
  })();
  const ended = await batch(t, ['a', 'b', 'c'], async (name) => name, {
    pre: `test "$P2C_HOST" = a || { : > ${marks}/pre-"$P2C_HOST"; sleep 3000 & wait; }`,
    fail: `: > ${marks}/fail-"$P2C_HOST"`,
    signal: interruption.signal,
    limits: { concurrency: 1 },
  });
  await waiting;
  t.deepEqual(states(ended), ['a done', 'b not begun', 'c not begun']);
  t.deepEqual((await readdir(marks)).sort(), ['fail-b', 'pre-b']);
  const failures = ended.events.filter(({ event }) => event === 'host-failed');
  t.like(failures, [
    { host: 'b', begun: false },
    { host: 'c', begun: false },
  ]);
});
