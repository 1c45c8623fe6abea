import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { digestOfHex } from '../../src/oci/digest.ts';
import { Layout } from '../../src/oci/layout.ts';
import { lock } from '../../src/oci/lock.ts';
import { moduleFile } from '../helpers/own-process.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const LOCK = moduleFile('../../src/oci/lock');

/** Another p2c that takes the lock and keeps it. @returns once it has it. */
async function holder(t: ExecutionContext, file: string): Promise<ChildProcess> {
  const script = `const { lock } = await import(${JSON.stringify(LOCK)});
    process.on('SIGINT', () => process.stdout.write('interrupted'));
    globalThis.held = await lock(${JSON.stringify(file)});
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A process group of its own, as a shell gives to what it starts.
    detached: true,
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

function isFree(file: string): Promise<boolean> {
  const child = spawn('flock', ['-n', file, 'true']);
  return once(child, 'exit').then(([code]) => code === 0);
}

test('one at a time holds it', async (t) => {
  const file = join(await temporaryFolder(t), 'lock');
  let inside = 0;
  let most = 0;
  let turns = 0;
  const enter = async (): Promise<void> => {
    await using _ = await lock(file);
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    turns += 1;
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 12 }, enter));
  t.deepEqual({ most, turns }, { most: 1, turns: 12 });
  t.true(await isFree(file));
});

test('it is free again when its holder is killed', async (t) => {
  const file = join(await temporaryFolder(t), 'lock');
  const child = await holder(t, file);
  t.false(await isFree(file));
  child.kill('SIGKILL');
  await using _ = await lock(file);
  t.pass();
});

test('Ctrl-C, which reaches a whole process group, does not take it from who finishes what it does', async (t) => {
  const file = join(await temporaryFolder(t), 'lock');
  const child = await holder(t, file);
  if (child.pid === undefined || child.stdout === null) return t.fail();
  const interrupted = once(child.stdout, 'data');
  process.kill(-child.pid, 'SIGINT');
  t.is(String((await interrupted)[0]), 'interrupted');
  t.false(await isFree(file));
});

/** The processes that have this file open beside this one: flock, and the shell that it started. */
function holders(file: string): number[] {
  const { stdout } = spawnSync('fuser', [file], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).map(Number);
}

test('what ends p2c in good order does not take it: SIGTERM to all that a service has', async (t) => {
  const file = join(await temporaryFolder(t), 'lock');
  const held = await lock(file);
  for (const pid of holders(file)) process.kill(pid, 'SIGTERM');
  await pause(200);
  t.false(await isFree(file));
  t.notThrows(() => held.requireHeld());
  await held[Symbol.asyncDispose]();
  t.true(await isFree(file));
});

test('who only waits for it may be ended, and leaves nothing behind', async (t) => {
  const file = join(await temporaryFolder(t), 'lock');
  const held = await lock(file);
  const before = holders(file);
  const waiting = t.throwsAsync(lock(file, 50), { instanceOf: P2cError, code: 'store.lock' });
  const waiters = (): number[] => holders(file).filter((pid) => !before.includes(pid));
  while (waiters().length < 2) await pause(10);
  for (const pid of waiters()) process.kill(pid, 'SIGTERM');
  await waiting;
  t.deepEqual(holders(file), before);
  await held[Symbol.asyncDispose]();
});

test('one whose flock was killed is lost, and given back without waiting for what has ended', async (t) => {
  const file = join(await temporaryFolder(t), 'lock');
  const held = await lock(file);
  for (const pid of holders(file)) process.kill(pid, 'SIGKILL');
  while (!(await isFree(file))) await pause(10);
  await pause(50);
  const returned = held[Symbol.asyncDispose]().then(() => 'returned');
  t.is(await Promise.race([returned, pause(5000, 'hangs')]), 'returned');
  t.throws(() => held.requireHeld(), { instanceOf: P2cError, code: 'store.lock' });
});

test('no index is written by who lost it, and no blob removed', async (t) => {
  const root = join(await temporaryFolder(t), 'store');
  const layout = await Layout.open(root, true);
  const index = await layout.readIndex();
  await using _ = await layout.lock();
  for (const pid of holders(join(root, 'index.lock'))) process.kill(pid, 'SIGKILL');
  while (!(await isFree(join(root, 'index.lock')))) await pause(10);
  await pause(50);
  await t.throwsAsync(layout.writeIndex(index), { instanceOf: P2cError, code: 'store.lock' });
  const digest = digestOfHex('0'.repeat(64));
  await t.throwsAsync(layout.removeBlob(digest), { instanceOf: P2cError, code: 'store.lock' });
});

test('where no lock can be taken, the reason is told', async (t) => {
  const file = join(await temporaryFolder(t), 'missing/lock');
  const error = await t.throwsAsync(lock(file), { instanceOf: P2cError, code: 'store.lock' });
  t.regex(String(error?.cause), /missing\/lock/);
});
