/** A container's life on the real kernel: started, left, asked, killed at any moment, and nothing of it stays. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NO_TRACES, tracesOf } from '../helpers/machine-state.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { pidsOf, type Runner, remains, runner } from '../helpers/runner.ts';

const NOTHING = { files: ['names'], mounts: [], processes: [] };

function ready(t: ExecutionContext): boolean {
  return requireRoot(t) && requirePrograms(t, ['busybox', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'script', 'tar']);
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function status(p2c: Runner, format = '{{.State.Status}}', name = 'c'): Promise<string> {
  return p2c.ok('container', 'inspect', '-f', format, name);
}

test('created, started, left to itself, started again with what it wrote, and waited for', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const script = 'echo run >>/root/runs; cat /root/runs; exec cat';
  await p2c.ok('create', '--name', 'c', '-i', '-h', 'old01', 'test:latest', 'sh', '-c', script);
  t.is(await status(p2c), 'created');
  t.regex(await p2c.ok('ps', '-a'), /created +c/);
  t.is(await p2c.ok('ps', '-q'), '');
  const first = await p2c.callWith('typed', 'start', '-ai', 'c');
  t.deepEqual([first.code, first.stdout], [0, 'run\ntyped']);
  const second = await p2c.callWith('', 'start', '-ai', 'c');
  t.is(second.stdout, 'run\nrun\n');
  await p2c.ok('start', 'c');
  t.is(await status(p2c), 'running');
  t.is((await p2c.call('start', '-a', 'c', 'c')).code, 2);
  const waited = p2c.ok('wait', 'c');
  await p2c.ok('kill', 'c');
  t.is(await waited, '137');
  await p2c.ok('restart', '-t', '0', 'c');
  t.is(await status(p2c), 'running');
  // A process 1 without a handler for it does not see the signal (pid_namespaces(7)).
  await p2c.ok('kill', '-s', 'TERM', 'c');
  t.is((await p2c.call('rm', 'c')).code, 2);
  await p2c.ok('rm', '-af');
  t.deepEqual(remains(p2c), NOTHING);
});

test('whoever is attached sees what it says and how it ended; with the last who types, its input ends', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok(
    'run',
    '-d',
    '-i',
    '--name',
    'c',
    'test:latest',
    'sh',
    '-c',
    'while read -r l; do echo "<$l>"; done; exit 4',
  );
  const typed = await p2c.callWith('one\ntwo\n', 'attach', 'c');
  t.deepEqual([typed.code, typed.stdout], [4, '<one>\n<two>\n']);
  t.is(await p2c.ok('logs', 'c'), '<one>\n<two>');
  t.is((await p2c.call('attach', 'c')).code, 2);
  t.is((await p2c.call('run', '--detach-keys', 'ctrl-1', 'test:latest', 'true')).code, 125);
});

test('a container that is to be started again is, until it is stopped', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const run = (name: string, policy: string, code: number) =>
    p2c.ok('run', '-d', '--name', name, '--restart', policy, 'test:latest', 'sh', '-c', `echo run; exit ${code}`);
  await Promise.all([run('always', 'always', 0), run('twice', 'on-failure:2', 3), run('well', 'on-failure', 0)]);
  t.is(await p2c.ok('wait', 'twice'), '3');
  t.is(await p2c.ok('logs', 'twice'), 'run\nrun\nrun');
  t.is(await status(p2c, '{{.RestartCount}}', 'twice'), '2');
  t.is(await p2c.ok('wait', 'well'), '0');
  t.is(await p2c.ok('logs', 'well'), 'run');
  await until(async () => Number(await status(p2c, '{{.RestartCount}}', 'always')) >= 2);
  await p2c.ok('stop', 'always');
  t.is(await status(p2c, '{{.State.Status}}', 'always'), 'exited');
  const lines = await p2c.ok('logs', 'always');
  t.is(await p2c.ok('logs', 'always'), lines);
  t.is((await p2c.call('run', '--rm', '--restart', 'always', 'test:latest', 'true')).code, 125);
  t.is(await p2c.ok('start', '--all', '--filter', 'restart-policy=always'), 'always');
  await p2c.ok('rm', '-af');
  t.deepEqual(remains(p2c), NOTHING);
});

test('a log keeps its size, and its end can be followed', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const script = 'i=0; while [ $i -lt 400 ]; do echo "line $i"; i=$((i + 1)); done';
  await p2c.ok('run', '-d', '--name', 'c', '--log-opt', 'max-size=4k', 'test:latest', 'sh', '-c', script);
  t.is((await p2c.ok('logs', '-f', 'c')).split('\n').at(-1), 'line 399');
  const folder = (await status(p2c, '{{.BundlePath}}')).trim();
  const size = ['log', 'log.1'].map((name) => readFileSync(join(folder, name)).length);
  t.true(
    size.every((bytes) => bytes < 40 * 1024),
    size.join(),
  );
  t.deepEqual(
    readdirSync(folder)
      .filter((name) => name.startsWith('log'))
      .sort(),
    ['log', 'log.1'],
  );
  t.is(await p2c.ok('logs', '--tail', '1', 'c'), 'line 399');
  t.is(await p2c.ok('logs', '--until', '1h', 'c'), '');
  t.regex(await p2c.ok('logs', '-t', '--tail', '1', '--since', '1h', 'c'), /^\d{4}-\S+Z line 399$/);
});

test('what runs in it, and what it takes', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', '-u', 'web', 'test:latest', 'sh', '-c', 'sleep 1000 & exec sleep 1001');
  await until(async () => (await p2c.ok('top', 'c', 'args')).includes('sleep 1000'));
  t.deepEqual(
    (await p2c.ok('top', 'c', 'user', 'pid', 'ppid', 'args')).split('\n').map((line) => line.split(/ +/)),
    [
      ['USER', 'PID', 'PPID', 'COMMAND'],
      ['web', '1', '0', 'sleep', '1001'],
      ...(await p2c.ok('top', 'c', 'pid'))
        .split('\n')
        .slice(2)
        .map((pid) => ['web', pid, '1', 'sleep', '1000']),
    ],
  );
  t.is(await p2c.ok('stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}'), 'c 2');
  t.is(
    await p2c.ok('ps', '--format', '{{.Names}}|{{.State}}|{{.Image}}', '--filter', 'name=c'),
    'c|running|test:latest',
  );
  t.is((await p2c.call('ps', '--format', '{{.Nmaes}}')).code, 2);
  const odd = await p2c.call('ps', '-f', 'status=foo');
  t.is(odd.code, 2);
  t.regex(odd.stderr, /status=foo.*\n.*created, starting, running, restarting, exited/);
  const [details] = JSON.parse(await p2c.ok('container', 'inspect', 'c'));
  t.is(details.State.Pid, (await pidsOf(p2c)).init);
  t.is(details.Config.User, '1000:1000');
});

test('files are copied in and out, whether it runs or not, and never through a link that leads out', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t, { 'etc/escape': { link: '/../../../../etc' }, 'var/www/a b/x': 'inside' });
  const out = (name: string): string => join(p2c.outside, name);
  writeFileSync(out('file'), 'from outside');
  await p2c.ok('create', '--name', 'c', '-v', 'data:/data', 'test:latest', 'sleep', '1000');
  for (const state of ['created', 'running']) {
    t.is(await status(p2c), state);
    await p2c.ok('cp', out('file'), `c:/root/${state}`);
    await p2c.ok('cp', `c:/root/${state}`, out(`${state}-back`));
    t.is(readFileSync(out(`${state}-back`), 'utf8'), 'from outside');
    await p2c.ok('cp', 'c:/var/www', out(`${state}-www`));
    t.is(readFileSync(join(out(`${state}-www`), 'a b/x'), 'utf8'), 'inside');
    // The image's own /etc is what its link leads to.
    await p2c.ok('cp', 'c:/etc/escape/passwd', out(`${state}-passwd`));
    t.regex(readFileSync(out(`${state}-passwd`), 'utf8'), /^web:x:1000:/m);
    await p2c.ok('cp', out('file'), 'c:/etc/escape/planted');
    t.false(existsSync('/etc/planted'));
    await p2c.ok('cp', out('file'), 'c:/data/kept');
    t.is((await p2c.call('cp', 'c:/nosuch', p2c.outside)).code, 2);
    t.is((await p2c.call('cp', out('file'), 'c:/no/such')).code, 2);
    if (state === 'created') await p2c.ok('start', 'c');
  }
  t.is(await p2c.ok('exec', 'c', 'cat', '/root/created', '/root/running', '/data/kept'), 'from outside'.repeat(3));
  t.is((await p2c.call('cp', out('file'), out('other'))).code, 2);
});

test('nothing stays, whenever its monitor or the p2c that starts it is killed', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const ids = new Set<string>();
  const removed = async (): Promise<boolean> => {
    for (const id of (await p2c.ok('ps', '-aq', '--no-trunc')).split('\n')) if (id !== '') ids.add(id);
    const { code } = await p2c.call('rm', '-af');
    return code === 0 && remains(p2c).processes.length === 0;
  };
  for (const patience of [50, 200, 350, 500, 800, 1500]) {
    const started = p2c.start('run', '-d', '--name', 'c', '--rm', 'test:latest', 'sleep', '1000');
    await new Promise((resolve) => setTimeout(resolve, patience));
    started.kill('SIGKILL');
    await started.ended;
    await until(removed);
  }
  for (const patience of [0, 50, 200]) {
    await p2c.ok('run', '-d', '--name', 'c', '-t', '--restart', 'always', 'test:latest', 'sleep', '0.1');
    await new Promise((resolve) => setTimeout(resolve, patience));
    process.kill(Number(await status(p2c, '{{.State.MonitorPid}}')), 'SIGKILL');
    await until(removed);
  }
  t.is(await p2c.ok('ps', '-aq'), '');
  t.true(ids.size >= 3);
  t.deepEqual(remains(p2c), { ...NOTHING, files: remains(p2c).files.filter((name) => !/^[0-9a-f]{64}$/.test(name)) });
  t.deepEqual(tracesOf(p2c.store.root, ids), NO_TRACES);
});

test('twenty at once, and two that want the same name or the same container', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const codes = await Promise.all(
    Array.from({ length: 20 }, (_, at) => p2c.call('run', '--rm', 'test:latest', 'sh', '-c', `exit ${at}`)),
  );
  t.deepEqual(
    codes.map(({ code, stderr }) => ({ code, stderr })),
    codes.map((_, at) => ({ code: at, stderr: '' })),
  );
  const named = await Promise.all(
    [1, 2].map(() => p2c.call('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000')),
  );
  t.deepEqual(named.map(({ code }) => code).sort(), [0, 125]);
  await p2c.ok('stop', '-t', '0', 'c');
  const starts = await Promise.all([1, 2, 3].map(() => p2c.call('start', 'c')));
  t.true(starts.some(({ code }) => code === 0));
  t.is(await status(p2c), 'running');
  const id = await status(p2c, '{{.Id}}');
  await p2c.ok('rm', '-f', 'c');
  t.deepEqual(remains(p2c), NOTHING);
  t.deepEqual(tracesOf(p2c.store.root, [id]), NO_TRACES);
});

test('restarts at once follow each other', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sh', '-c', 'echo run; exec sleep 1000');
  const restarts = await Promise.all([1, 2, 3].map(() => p2c.call('restart', '-t', '0', 'c')));
  t.deepEqual(restarts, Array(3).fill({ code: 0, stdout: 'c\n', stderr: '' }));
  t.is(await status(p2c), 'running');
  await until(async () => (await p2c.ok('logs', 'c')) === 'run\nrun\nrun\nrun');
});

test('wait says why nobody knows an exit code', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const { monitor, init } = await pidsOf(p2c);
  process.kill(monitor, 'SIGKILL');
  await until(async () => !existsSync(`/proc/${monitor}`));
  process.kill(init, 'SIGKILL');
  const { code, stdout, stderr } = await p2c.call('wait', 'c');
  t.deepEqual([code, stdout], [0, '-1\n']);
  t.regex(stderr, /^p2c: the exit code of the container 'c' is not known: its monitor, .* was killed .*\n$/);
});

test('a network that is to be shared is that of a container which runs', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('create', '--name', 'web', 'test:latest', 'sleep', '1000');
  const { code, stderr } = await p2c.call('run', '--rm', '--network', 'container:web', 'test:latest', 'true');
  t.is(code, 125);
  t.is(stderr, "p2c: the container 'web', whose network is to be shared, is not running\n  hint: p2c start web\n");
});
