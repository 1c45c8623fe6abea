/** What crashes leave, made by real crashes: `p2c doctor` names it, `--clean` removes it, and what lives goes on living. */
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { commandLines } from '../../src/runtime/engines/engine-processes.ts';
import { monitorTitle } from '../../src/runtime/monitor.ts';
import { runFolder } from '../../src/runtime/network/run-folder.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { NO_TRACES, tracesOf } from '../helpers/machine-state.ts';
import { requirePlugins, requirePrograms, requireRoot } from '../helpers/require.ts';
import { pidsOf, type Runner, remains, runner, temporaryOf } from '../helpers/runner.ts';

interface Stray {
  readonly kind: string;
  readonly what: string;
  readonly of: string;
}

function ready(t: ExecutionContext): boolean {
  return (
    requirePlugins(t) &&
    requireRoot(t) &&
    requirePrograms(t, ['busybox', 'unshare', 'nsenter', 'setpriv', 'script', 'tar', 'ip'])
  );
}

async function strays(p2c: Runner): Promise<Stray[]> {
  return JSON.parse(await p2c.ok('doctor', '--json')).strays;
}

async function clean(p2c: Runner): Promise<Stray[]> {
  return JSON.parse(await p2c.ok('doctor', '--clean', '--json')).removed;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function pause(most: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}

/** Kills one of the processes that look after the store's containers, or all of them: monitors first. */
function strike(p2c: Runner, all: boolean): void {
  const title = monitorTitle(p2c.store.root, '');
  const monitors = commandLines().filter(({ words }) => words[0]?.startsWith(title));
  const processes = [...monitors.map((each) => String(each.process.pid)), ...remains(p2c).processes];
  const one = processes[Math.floor(Math.random() * processes.length)];
  for (const pid of all ? processes : [one]) if (pid !== undefined) kill(Number(pid));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Whole IDs of the containers there are, by whether they run. */
async function containers(p2c: Runner): Promise<{ up: string[]; ended: string[] }> {
  const lines = (await p2c.ok('ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.State}}')).split('\n');
  const known = lines.filter((line) => line !== '').map((line) => line.split(' '));
  const ids = (up: boolean): string[] =>
    known.filter(([, state]) => ['exited', 'created'].includes(state ?? '') !== up).map(([id]) => id ?? '');
  return { up: ids(true), ended: ids(false) };
}

onEachEngine('killed at any moment, whoever it is, nothing is left after doctor --clean', async (t, make, engine) => {
  if (!ready(t)) return;
  const p2c = await make(t);
  const other = await make(t);
  await other.ok('run', '-d', '--name', 'living', '-p', '8000', 'test:latest', 'sleep', '1000');
  await p2c.ok('network', 'create', 'n');
  const ids = new Set<string>();
  const note = async (): Promise<{ up: string[]; ended: string[] }> => {
    const found = await containers(p2c);
    for (const id of [...found.up, ...found.ended]) ids.add(id);
    return found;
  };
  // The moments lie within what a whole start and a whole removal take here just now.
  const begin = performance.now();
  await p2c.ok('run', '-d', '--network', 'n', 'test:latest', 'sleep', '1000');
  const startTakes = performance.now() - begin;
  await p2c.ok('rm', '-af');
  const removalTakes = performance.now() - begin - startTakes;
  let removed = 0;
  for (let round = 0; round < 6; round += 1) {
    const how = [...(round % 2 === 0 ? ['--rm'] : []), ...(round % 3 === 0 ? ['-t'] : [])];
    const words = ['--engine', engine, ...how, '--name', 'c', '--network', 'n', 'test:latest', 'sleep', '1000'];
    const call = p2c.start('run', '-d', ...words);
    // The first is surely running when all that look after it are killed.
    if (round === 0) await call.ended;
    else await pause(startTakes * 1.5);
    if (round !== 3) call.kill('SIGKILL');
    strike(p2c, round % 2 === 0);
    await call.ended;
    if (round >= 3) {
      const removal = p2c.start('rm', '-af');
      await pause(removalTakes);
      removal.kill('SIGKILL');
      strike(p2c, round % 2 === 0);
      await removal.ended;
    }
    // A container goes on without its monitor; one whose PID 1 is killed then has ended, and nobody saw to it.
    for (const id of round % 2 === 0 ? (await note()).up : []) {
      const pid = Number((await p2c.call('container', 'inspect', '-f', '{{.State.Pid}}', id)).stdout);
      if (pid > 0) kill(pid);
    }
    await note();
    removed += (await clean(p2c)).length;
    const { up, ended } = await note();
    t.deepEqual(tracesOf(p2c.store.root, ended).cgroups, [], 'of what has ended nothing is left');
    if (up.length === 0) t.deepEqual(tracesOf(p2c.store.root, ended), NO_TRACES);
    await until(async () => (await p2c.call('rm', '-af')).code === 0);
  }
  await clean(p2c);
  t.true(removed > 0, 'something was left, and was removed');
  t.deepEqual(await strays(p2c), []);
  t.deepEqual(tracesOf(p2c.store.root, ids), NO_TRACES);
  t.deepEqual(remains(p2c), { files: ['names'], mounts: [], processes: [] });
  t.deepEqual(readdirSync(join(p2c.store.root, 'tmp')), []);
  t.is(await other.ok('exec', 'living', 'echo', 'alive'), 'alive');
  t.regex(await other.ok('port', 'living'), /^8000\/tcp -> /);
});

test('what is left is named, with whose it was, and what lives is not', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const { root } = p2c.store;
  await p2c.ok('network', 'create', 'n');
  // runc takes the cgroups away itself, as long as nobody kills it.
  const how = ['--engine', 'namespaces', '--rm', '--network', 'n'];
  await p2c.ok('run', '-d', '--name', 'c', ...how, 'test:latest', 'sleep', '1000');
  t.deepEqual(await strays(p2c), []);
  const { monitor, init } = await pidsOf(p2c);
  process.kill(monitor, 'SIGKILL');
  // Without its monitor it lives on, and may be stopped.
  t.deepEqual(await clean(p2c), []);
  t.is(await p2c.ok('exec', 'c', 'echo', 'alive'), 'alive');
  process.kill(init, 'SIGKILL');
  await until(async () => (await containers(p2c)).up.length === 0);
  const named = await strays(p2c);
  const kinds = new Set(named.map(({ kind }) => kind));
  for (const kind of ['network', 'cgroup', 'container']) t.true(kinds.has(kind), JSON.stringify(named));
  t.regex(await p2c.ok('doctor'), /^ {2}cgroup \/.*p2c-[0-9a-f]{64}, of the container 'c', which has ended$/m);
  await clean(p2c);
  t.deepEqual(await strays(p2c), []);
  t.is(await p2c.ok('ps', '-aq'), '');
  t.deepEqual(tracesOf(root, []), NO_TRACES);
});

test('a monitor whose container is gone is ended, and no other', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', '--engine', 'namespaces', 'test:latest', 'sleep', '1000');
  await p2c.ok('run', '-d', '--name', 'other', '--engine', 'namespaces', 'test:latest', 'sleep', '1000');
  const [folder, pid, monitor] = (
    await p2c.ok('container', 'inspect', '-f', '{{.BundlePath}} {{.State.Pid}} {{.State.MonitorPid}}', 'c')
  ).split(' ');
  // Stopped, it cannot see to its container's end.
  process.kill(Number(monitor), 'SIGSTOP');
  kill(Number(pid));
  rmSync(folder ?? '', { recursive: true });
  const named = (await strays(p2c)).filter(({ kind }) => kind === 'process').map(({ what }) => what);
  t.true(named.includes(monitor ?? ''), named.join());
  await clean(p2c);
  t.deepEqual(await strays(p2c), []);
  t.is(await p2c.ok('exec', 'other', 'echo', 'alive'), 'alive');
});

test('a machine that went down leaves its records: they go, and the container starts again', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('network', 'create', 'n');
  await p2c.ok('run', '-d', '--name', 'c', '--network', 'n', 'test:latest', 'sleep', '1000');
  const folder = await p2c.ok('container', 'inspect', '-f', '{{.BundlePath}}', 'c');
  const kept = ['state.json', 'network.json'].map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);
  await p2c.ok('stop', '-t', '0', 'c');
  // As another boot of the machine left them; what /run had is gone.
  for (const [name, text] of kept)
    writeFileSync(join(folder, name), text.replace(/"boot": "[^"]*"/, '"boot": "other"'));
  rmSync(dirname(runFolder(p2c.store.root).leases), { recursive: true, force: true });
  t.deepEqual(
    (await strays(p2c)).map(({ kind }) => kind),
    ['network'],
  );
  t.deepEqual(
    (await clean(p2c)).map(({ kind }) => kind),
    ['network'],
  );
  t.deepEqual(await strays(p2c), []);
  await p2c.ok('start', 'c');
  t.is(await p2c.ok('exec', 'c', 'echo', 'alive'), 'alive');
});

test('files of the dead go; those of the living, and of others, stay', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const { root } = p2c.store;
  await p2c.ok('create', '--name', 'kept', 'test:latest', 'true');
  const dead = '4194303-1';
  const left = [
    join(root, `snapshots/sha256/.unpack-${dead}-0123456789ab`),
    join(root, `tmp/run-4194303-aB3dE6`),
    join(temporaryOf(root), `p2c-pipe-${dead}-${process.pid}`),
    join(temporaryOf(root), `p2c-probe-${dead}-${process.pid}`),
  ];
  for (const path of left) mkdirSync(path, { recursive: true });
  const foreign = join(temporaryOf(root), `other-${dead}-${process.pid}`);
  mkdirSync(foreign);
  t.teardown(() => rmSync(foreign, { recursive: true }));
  writeFileSync(join(root, 'containers/names/lost'), 'a'.repeat(64));
  const removed = await clean(p2c);
  t.deepEqual(
    left.filter((path) => existsSync(path) || !removed.some(({ what }) => what === path)),
    [],
  );
  t.deepEqual(
    removed.filter(({ kind }) => kind === 'name').map(({ what }) => what),
    ['lost'],
  );
  t.true(existsSync(foreign));
  t.deepEqual(readdirSync(join(root, 'containers/names')), ['kept']);
  t.is((await p2c.call('start', '-a', 'kept')).code, 0);
});

test('a probe’s folder that somebody else made is nobody’s word for whom to kill', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const on = ['--engine', 'namespaces', '--memory', '64m'];
  for (const name of ['a', 'b']) await p2c.ok('run', '-d', '--name', name, ...on, 'test:latest', 'sleep', '1000');
  const bundleOf = (name: string) => p2c.ok('container', 'inspect', '-f', '{{.BundlePath}}', name);
  const probe = (random: string): string => join(temporaryOf(p2c.store.root), `p2c-probe-4194303-1-${random}`);
  const foreign = probe('a');
  mkdirSync(foreign);
  copyFileSync(join(await bundleOf('a'), 'config.json'), join(foreign, 'config.json'));
  chownSync(foreign, 1000, 1000);
  // Root's own, by whatever way it got there, and a link of anybody's to a folder that is root's.
  mkdirSync(probe('b'));
  copyFileSync(join(await bundleOf('b'), 'config.json'), join(probe('b'), 'config.json'));
  symlinkSync(await bundleOf('a'), probe('c'));
  await clean(p2c);
  for (const name of ['a', 'b']) t.is(await p2c.ok('exec', name, 'echo', 'alive'), 'alive');
  t.deepEqual([foreign, probe('b'), probe('c')].map(existsSync), [true, false, false]);
});
