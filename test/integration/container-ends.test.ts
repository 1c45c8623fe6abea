/** Ends of containers that are watched, restarted, or on their way up again. */
import { readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readState } from '../../src/runtime/container.ts';
import { listContainers } from '../../src/runtime/containers.ts';
import { removeContainer, stopContainer } from '../../src/runtime/end.ts';
import { type Running, startCli } from '../helpers/cli.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { type Runner, remains, runner } from '../helpers/runner.ts';

const NOTHING = { files: ['names'], mounts: [], processes: [] };

function ready(t: ExecutionContext): boolean {
  return requireRoot(t) && requirePrograms(t, ['busybox', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'script', 'tar']);
}

/** A container that fails once, and then runs until it is asked to end: found the moment its monitor has noted the failure. */
async function restarting(p2c: Runner, name: string) {
  const script = 'if ! [ -e /ran ]; then touch /ran; exit 1; fi; trap "exit 0" TERM; while :; do sleep 0.1; done';
  await p2c.ok('run', '-d', '--name', name, '--restart', 'always', 'test:latest', 'sh', '-c', script);
  const container = (await listContainers(p2c.store.root)).find(({ definition }) => definition.name === name);
  if (container === undefined) throw new Error('it is not there');
  while ((await readState(container.folder)).status !== 'restarting') await setTimeout(5);
  return container;
}

test.serial('one that is just restarting is stopped, and one that is removed is killed', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  // Its monitor looks for a stop, and starts it again after a tenth of a second: before, in between and afterwards.
  for (const later of [0, 90, 110, 140, 180, 230]) {
    const container = await restarting(p2c, `stop-${later}`);
    await setTimeout(later);
    t.true(await stopContainer(container, 5_000), `${later} ms`);
    t.is((await readState(container.folder)).status, 'exited', `${later} ms`);
  }
  for (const later of [0, 90, 110, 140, 180]) {
    const container = await restarting(p2c, `rm-${later}`);
    await setTimeout(later);
    await removeContainer(p2c.store.root, container, true);
    await setTimeout(500);
  }
  await p2c.ok('rm', '-a');
  t.deepEqual(remains(p2c), NOTHING);
});

test('a signal that a container survives is not the end of its restart policy', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const script = 'trap "echo no" TERM; while :; do sleep 0.1; done';
  const how = ['-d', '--restart', 'always', '--stop-timeout', '1'];
  await p2c.ok('run', ...how, '--name', 'c', 'test:latest', 'sh', '-c', script);
  await p2c.ok(
    'run',
    ...how,
    '--name',
    'ends',
    'test:latest',
    'sh',
    '-c',
    'trap "exit 0" TERM; while :; do sleep 0.1; done',
  );
  while (!(await p2c.ok('logs', 'c')).includes('no')) {
    await p2c.ok('kill', '-s', 'TERM', 'c');
    await setTimeout(500);
  }
  await p2c.ok('kill', '-s', 'TERM', 'ends');
  await setTimeout(1500);
  const [container] = (await listContainers(p2c.store.root)).filter(({ definition }) => definition.name === 'c');
  const pid = Number(await p2c.ok('container', 'inspect', '-f', '{{.State.Pid}}', 'c'));
  process.kill(pid, 'SIGKILL');
  const now = () => readState(container?.folder ?? '');
  while ((await now()).status === 'running' && (await now()).init?.pid === pid) await setTimeout(50);
  t.not((await now()).status, 'exited');
  t.is(await p2c.ok('container', 'inspect', '-f', '{{.State.Status}}', 'ends'), 'exited');
});

test('a container that removes itself outlives its restart, with what it wrote', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const script = 'echo run >>/root/runs; cat /root/runs; trap "exit 0" TERM; while :; do sleep 0.1; done';
  await p2c.ok('run', '-d', '--rm', '--name', 'c', '-v', '/data', 'test:latest', 'sh', '-c', script);
  await p2c.ok('exec', 'c', 'touch', '/data/kept');
  t.deepEqual(await p2c.call('restart', 'c'), { code: 0, stdout: 'c\n', stderr: '' });
  const both = await Promise.all([p2c.call('restart', 'c'), p2c.call('restart', 'c')]);
  t.deepEqual(both, Array(2).fill({ code: 0, stdout: 'c\n', stderr: '' }));
  while (!(await p2c.ok('logs', 'c')).endsWith('run\nrun\nrun\nrun')) await setTimeout(50);
  t.is(await p2c.ok('exec', 'c', 'ls', '/data'), 'kept');
  await p2c.ok('stop', 'c');
  while ((await p2c.ok('ps', '-aq')) !== '') await setTimeout(50);
  t.is(await p2c.ok('volume', 'ls', '-q'), '');
  t.deepEqual(remains(p2c), NOTHING);
});

/** What a process has open, as /proc names it. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return [];
    }
  });
}

/** Begins a verb that watches, and resolves once it has open what it watches by. */
async function watching(p2c: Runner, fits: (files: readonly string[]) => boolean, ...args: string[]): Promise<Running> {
  const begun = startCli(args, { P2C_ROOT: p2c.store.root });
  while (!fits(openFiles(begun.child.pid ?? 0))) await setTimeout(50);
  return begun;
}

function go(p2c: Runner, name: string): Promise<string> {
  return p2c.ok('exec', name, 'touch', '/go');
}

const WAIT_FOR_GO = 'while ! [ -e /go ]; do sleep 0.05; done';

test('whoever follows the log of a container that removes itself reads it to its end', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const script = `${WAIT_FOR_GO}; i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i + 1)); done`;
  const lines = Array.from({ length: 200 }, (_, at) => `line ${at}\n`).join('');
  // It says nothing until it is followed.
  const follow = async (name: string): Promise<void> => {
    await p2c.ok('run', '-d', '--rm', '--name', name, 'test:latest', 'sh', '-c', script);
    const { ended } = await watching(p2c, (files) => files.some((file) => file.endsWith('/log')), 'logs', '-f', name);
    await go(p2c, name);
    t.deepEqual(await ended, { code: 0, signal: null, stdout: lines, stderr: '' });
  };
  // Some look at the moment between its end and its removal, others do not.
  await Promise.all(['a', 'b', 'c', 'd'].map(follow));
});

test('wait tells how each ended, in whatever order they do', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const run = (name: string, code: number): Promise<string> =>
    p2c.ok('run', '-d', '--rm', '--name', name, 'test:latest', 'sh', '-c', `${WAIT_FOR_GO}; exit ${code}`);
  await Promise.all([run('late', 3), run('early', 4)]);
  const sockets = (files: readonly string[]): number => files.filter((file) => file.startsWith('socket:')).length;
  // Two of them are its standard output and error.
  const { ended } = await watching(p2c, (files) => sockets(files) >= 4, 'wait', 'late', 'early');
  // Until both monitors have read what it wants.
  await setTimeout(1000);
  await go(p2c, 'early');
  while ((await p2c.ok('ps', '-q', '--filter', 'name=early')) !== '') await setTimeout(50);
  await go(p2c, 'late');
  t.deepEqual(await ended, { code: 0, signal: null, stdout: '3\n4\n', stderr: '' });
});

test('what fails for one container is said, and the others have what was asked for', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const make = (name: string): Promise<string> =>
    p2c.ok('create', '--name', name, 'test:latest', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done');
  const [, broken] = await Promise.all([make('first'), make('broken'), make('last')]);
  // Its layers and its record are there, but not what it would write into.
  rmSync(`${p2c.store.root}/containers/${broken}/work`, { recursive: true });
  const start = await p2c.call('start', 'broken', 'first', 'last');
  t.deepEqual([start.code, start.stdout], [1, 'first\nlast\n']);
  t.regex(start.stderr, /could not be set up/);
  const kill = await p2c.call('kill', '-s', 'CONT', 'first', 'broken', 'last');
  t.deepEqual([kill.code, kill.stdout], [2, 'first\nlast\n']);
  t.regex(kill.stderr, /the container 'broken' is not running/);
  const restart = await p2c.call('restart', 'broken', 'first');
  t.deepEqual([restart.code, restart.stdout], [1, 'first\n']);
  const rm = await p2c.call('rm', 'first', 'broken', 'last');
  t.deepEqual([rm.code, rm.stdout], [2, 'broken\n']);
  t.deepEqual(
    rm.stderr.split('\n').filter((line) => line.startsWith('p2c: ')),
    ["p2c: the container 'first' is running", "p2c: the container 'last' is running"],
  );
  const state = `${p2c.store.root}/containers/${await make('damaged')}/state.json`;
  writeFileSync(state, '{');
  const stop = await p2c.call('stop', 'damaged', 'first', 'last');
  t.deepEqual([stop.code, stop.stdout.split('\n').sort()], [1, ['', 'first', 'last']]);
  t.regex(stop.stderr, /state\.json is not what p2c writes/);
  rmSync(state);
  await p2c.ok('rm', '-af');
  t.deepEqual(remains(p2c), NOTHING);
});
