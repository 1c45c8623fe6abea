/** Containers on the real kernel: what is in them, what they cannot reach, and that nothing of them stays. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { identifyProcess, isAlive } from '../../src/runtime/process.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { pidsOf, type Runner, remains, runner } from '../helpers/runner.ts';

function ready(t: ExecutionContext): boolean {
  return requireRoot(t) && requirePrograms(t, ['busybox', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'script', 'tar']);
}

const SERVE = { Cmd: ['sh', '-c', 'echo up; exec httpd -f -h /var/www'], Env: ['COLOUR=deep blue'] };
const NOTHING = { files: ['names'], mounts: [], processes: [] };

/** CapBnd, CapEff… as `/proc/PID/status` shows them. */
function capabilities(status: string): Record<string, bigint> {
  const found = [...status.matchAll(/^(Cap\w+):\s*([0-9a-f]+)$/gm)];
  return Object.fromEntries(found.map(([, name, hex]) => [name, BigInt(`0x${hex}`)]));
}

onEachEngine('a server in the background: its page, its processes, its log, its end', async (t, runner) => {
  const p2c = await runner(t, {}, SERVE);
  const id = await p2c.ok('run', '-d', '--name', 'web', 'test:latest');
  t.regex(id, /^[0-9a-f]{64}$/);
  const served = 'until wget -qO- http://127.0.0.1/ 2>/dev/null; do sleep 0.1; done';
  t.is(await p2c.ok('exec', 'web', 'sh', '-c', served), 'the page');
  t.is(await p2c.ok('exec', 'web', 'cat', '/proc/1/comm'), 'httpd');
  t.is(await p2c.ok('logs', 'web'), 'up');
  t.regex(await p2c.ok('ps'), /running +web/);
  t.is(await p2c.ok('ps', '-q'), id.slice(0, 12));
  t.is((await p2c.call('exec', 'web', 'sh', '-c', 'exit 9')).code, 9);
  t.is((await p2c.call('exec', 'web', 'sh', '-c', 'kill -9 $$')).code, 137);
  t.is((await p2c.call('exec', 'web', 'nosuch')).code, 127);
  const twice = await p2c.call('run', '--name', 'web', 'test:latest');
  t.is(twice.code, 125);
  t.regex(twice.stderr, /name 'web' is in use/);
  t.is((await p2c.call('rm', 'web')).code, 2);
  await p2c.ok('stop', '-t', '0', 'web');
  t.regex(await p2c.ok('ps', '-a'), /exited \(137\) +web/);
  t.is(await p2c.ok('ps', '-q'), '');
  t.is((await p2c.call('exec', 'web', 'true')).code, 125);
  await p2c.ok('rm', 'web');
  t.deepEqual(remains(p2c), NOTHING);
});

onEachEngine('exit codes', async (t, runner) => {
  const p2c = await runner(t);
  const code = async (...command: string[]): Promise<number> =>
    (await p2c.call('run', '--rm', 'test:latest', ...command)).code;
  t.is(await code('sh', '-c', 'exit 7'), 7);
  t.is(await code('true'), 0);
  t.is(await code('nosuch'), 127);
  t.is(await code('/etc/passwd'), 126);
  t.is(await code('a=b'), 127);
  t.is(await code('sh', '-c', 'sh -c "kill -9 $$"; kill -9 1; exit 3'), 3);
  t.is((await p2c.call('run', 'nosuch:1')).code, 125);
  t.is((await p2c.call('run', '--nosuch', 'test:latest')).code, 125);
  t.deepEqual(remains(p2c), NOTHING);
});

onEachEngine('the first process and those of exec have the container’s capabilities and no more', async (t, runner) => {
  const p2c = await runner(t);
  const allowed = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 22, 27, 29, 31].reduce(
    (set, bit) => set | (1n << BigInt(bit)),
    0n,
  );
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const first = capabilities(await p2c.ok('exec', 'c', 'cat', '/proc/1/status'));
  const other = capabilities(await p2c.ok('exec', 'c', 'cat', '/proc/self/status'));
  t.deepEqual(first, { CapInh: 0n, CapPrm: allowed, CapEff: allowed, CapBnd: allowed, CapAmb: 0n });
  t.deepEqual(other, first);
  const user = capabilities(await p2c.ok('exec', '-u', 'web', 'c', 'cat', '/proc/self/status'));
  t.deepEqual(user, { CapInh: 0n, CapPrm: 0n, CapEff: 0n, CapBnd: allowed, CapAmb: 0n });
  const all = capabilities(await p2c.ok('run', '--rm', '--privileged', 'test:latest', 'cat', '/proc/self/status'));
  t.deepEqual(all['CapEff'], capabilities(readFileSync('/proc/self/status', 'latin1'))['CapBnd']);
});

onEachEngine('the machine is not to be reached', async (t, runner) => {
  const p2c = await runner(t);
  const denied = async (script: string): Promise<void> => {
    const { code, stdout } = await p2c.call('exec', 'c', 'sh', '-c', script);
    t.not(code, 0, `${script} gave ${stdout}`);
  };
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  await denied('echo 1 >/proc/sys/kernel/printk');
  await denied('echo x >/proc/sys/kernel/hostname');
  await denied('echo b >/proc/sysrq-trigger');
  await denied('mount -t tmpfs x /tmp');
  await denied('mount -o remount,rw /proc/sys');
  await denied('echo 1 >/sys/class/net/lo/mtu');
  await denied('head -c 1 /proc/kcore');
  const { dev } = statSync('/');
  for (const place of ['/tmp', '/dev', '/dev/shm', '/etc']) {
    await denied(`mknod ${place}/disk b ${dev >> 8} ${dev & 0xff} && head -c 1 ${place}/disk`);
  }
  t.is(await p2c.ok('exec', 'c', 'ls', '/proc/1/fd'), '0\n1\n2');
  // The last is the listing's own.
  t.is(await p2c.ok('exec', 'c', 'ls', '/proc/self/fd'), '0\n1\n2\n3');
  const own = new Set(
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[0]),
  );
  const mounts = (await p2c.ok('exec', 'c', 'cat', '/proc/self/mountinfo')).split('\n').map((line) => line.split(' '));
  t.true(mounts.length > 10);
  t.deepEqual(
    mounts.filter(([number]) => own.has(number)),
    [],
  );
  const fromHost = mounts.filter((fields) => fields.includes('ext4')).map((fields) => fields[4]);
  t.deepEqual(
    fromHost.sort(),
    ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'].filter((path) => fromHost.includes(path)),
  );
  // Out of the chroot there is only the empty tmpfs: nothing of this machine, and nothing to write to.
  const root = await p2c.ok('exec', 'c', 'ls', '/proc/1/root');
  t.regex(root, /\bvar\b/);
  // The command, the shell, and ps itself, below a line of headings.
  t.is(await p2c.ok('exec', 'c', 'sh', '-c', 'ps >/tmp/ps; wc -l </tmp/ps'), '4');
});

onEachEngine('what every container has', async (t, runner) => {
  const p2c = await runner(t, {}, { ...SERVE, User: 'web' });
  const said = await p2c.ok(
    ...['run', '--rm', '-h', 'old01.example', '--shm-size', '100m', '--ulimit', 'nofile=300:400', '-e', 'A=1 2'],
    ...['-w', '/new/folder', 'test:latest', 'sh', '-c'],
    [
      'id -u; id -G; pwd; hostname; cat /etc/hostname; ulimit -n; ulimit -Hn; echo "$A,$COLOUR,$HOME"',
      'df -k /dev/shm | tail -n 1 | tr -s " " | cut -d" " -f2',
      'cat /sys/class/net/lo/flags; ls /sys/class/net; echo err >/dev/stderr; echo out >/dev/stdout',
      'head -c 2 /dev/zero | wc -c; echo gone >/dev/null; grep old01 /etc/hosts; umask',
    ].join(';'),
  );
  t.deepEqual(said.split('\n'), [
    ...['1000', '1000 44', '/new/folder', 'old01.example', 'old01.example', '300', '400', '1 2,deep blue,/home/web'],
    ...['102400', '0x9', 'lo', 'out', '2', '127.0.0.1\told01.example', '0022'],
  ]);
  t.is(await p2c.ok('run', '--rm', '-u', '0:44', 'test:latest', 'id', '-G'), '44');
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', 'ulimit -n; ulimit -Hn'), '1024\n4096');
  t.is((await p2c.callWith('typed', 'run', '--rm', '-i', 'test:latest', 'cat')).stdout, 'typed');
  t.is((await p2c.callWith('typed', 'run', '--rm', 'test:latest', 'cat')).stdout, '');
  t.regex(
    (await p2c.call('run', '--rm', '-t', 'test:latest', 'sh', '-c', 'test -t 0 && echo $TERM')).stdout,
    /^xterm\r\n$/,
  );
  t.is((await p2c.call('run', '--rm', '-t', 'test:latest', 'sh', '-c', 'exit 5')).code, 5);
});

onEachEngine('volumes: read and written, and read only', async (t, runner) => {
  const p2c = await runner(t, { 'var/link': { link: '/var/real' }, 'var/real/x': 'covered' });
  writeFileSync(join(p2c.outside, 'file'), 'from outside');
  const volume = (...words: string[]) => p2c.call('run', '--rm', ...words);
  t.is((await volume('-v', `${p2c.outside}:/data`, 'test:latest', 'sh', '-c', 'cat /data/file >/data/copy')).code, 0);
  t.is(readFileSync(join(p2c.outside, 'copy'), 'utf8'), 'from outside');
  const readOnly = await volume(
    '-v',
    `${p2c.outside}:/data:ro`,
    'test:latest',
    'sh',
    '-c',
    'cat /data/file; >/data/no',
  );
  t.is(readOnly.stdout, 'from outside');
  t.not(readOnly.code, 0);
  t.false(existsSync(join(p2c.outside, 'no')));
  const file = await volume('-v', `${p2c.outside}/file:/a/b/c:ro`, 'test:latest', 'cat', '/a/b/c');
  t.is(file.stdout, 'from outside');
  // Through the image's own link, as the container sees it.
  t.is((await volume('-v', `${p2c.outside}:/var/link`, 'test:latest', 'ls', '/var/real')).stdout, 'copy\nfile\n');
  t.is((await volume('-v', `${p2c.outside}/nosuch:/data`, 'test:latest', 'true')).code, 125);
  t.is((await volume('-v', `${p2c.outside}:/proc`, 'test:latest', 'true')).code, 125);
});

test('bad input is refused before anything is made', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  for (const [words, reason] of [
    [['nosuch:latest'], /no image 'nosuch:latest'/],
    [['--ulimit', 'nosuch=1', 'test:latest'], /--ulimit/],
    [['--shm-size', 'big', 'test:latest'], /--shm-size/],
    [['--network', 'nosuch', 'test:latest', 'true'], /no network 'nosuch'/],
    [['--name', '../x', 'test:latest'], /no name for a container/],
    [['-h', 'a b', 'test:latest'], /no host name/],
    [['test:latest'], /names no command/],
    [['-u', 'nobody', 'test:latest', 'true'], /user 'nobody'/],
    [['-w', 'relative', 'test:latest', 'true'], /not absolute/],
    [[], /no image is named/],
  ] as const) {
    const { code, stderr } = await p2c.call('run', ...words);
    t.is(code, 125, words.join(' '));
    t.regex(stderr, reason);
  }
  t.deepEqual(
    remains(p2c).files.filter((name) => name !== 'names'),
    [],
  );
  for (const verb of ['stop', 'rm', 'logs']) t.is((await p2c.call(verb, 'nosuch')).code, 2);
});

onEachEngine('an image’s loader settings touch nothing that still has all capabilities', async (t, runner) => {
  const p2c = await runner(
    t,
    { 'etc/ld.so.preload': '/evil.so\n', 'evil.so': 'no library' },
    { Env: ['LD_PRELOAD=/evil.so'] },
  );
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const { code, stdout, stderr } = await p2c.call('exec', 'c', 'sh', '-c', 'echo $LD_PRELOAD');
  // A loader that had looked at them would have complained.
  t.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '/evil.so\n', stderr: '' });
  t.is(await p2c.ok('logs', 'c'), '');
});

async function killedAndRemoved(t: ExecutionContext, p2c: Runner, pid: number): Promise<void> {
  const victim = identifyProcess(pid);
  process.kill(pid, 'SIGKILL');
  while (victim !== undefined && isAlive(victim)) await new Promise((resolve) => setTimeout(resolve, 10));
  await p2c.ok('rm', '-f', 'c');
  t.is(await p2c.ok('ps', '-aq'), '');
  t.deepEqual(remains(p2c), NOTHING);
}

onEachEngine('nothing stays of a container that was killed', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  await p2c.ok('exec', '-d', 'c', 'sleep', '1001');
  const { init } = await pidsOf(p2c);
  await killedAndRemoved(t, p2c, init);
});

onEachEngine('nothing stays of a container whose monitor was killed', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const { monitor, init } = await pidsOf(p2c);
  process.kill(monitor, 'SIGKILL');
  t.is(await p2c.ok('exec', 'c', 'echo', 'still there'), 'still there');
  await killedAndRemoved(t, p2c, init);
});

onEachEngine('nothing stays of a container with a terminal', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok(
    'run',
    '-d',
    '-t',
    '--name',
    'c',
    'test:latest',
    'sh',
    '-c',
    'test -t 1 && echo a terminal; exec sleep 1000',
  );
  const { init } = await pidsOf(p2c);
  while ((await p2c.ok('logs', 'c')) === '') await new Promise((resolve) => setTimeout(resolve, 50));
  t.is((await p2c.ok('logs', 'c')).trim(), 'a terminal');
  await killedAndRemoved(t, p2c, init);
});

onEachEngine('a stop asks as the image says and waits', async (t, runner) => {
  const script = 'trap "echo asked; exit 4" USR1; echo waiting; while :; do sleep 0.1; done';
  const p2c = await runner(t, {}, { Cmd: ['sh', '-c', script], StopSignal: 'SIGUSR1' });
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest');
  while (!(await p2c.ok('logs', 'c')).includes('waiting'));
  await p2c.ok('stop', 'c');
  t.is(await p2c.ok('logs', 'c'), 'waiting\nasked');
  t.is(await p2c.ok('logs', '--tail', '1', 'c'), 'asked');
  t.is(await p2c.ok('logs', '-f', 'c'), 'waiting\nasked');
  t.regex(await p2c.ok('ps', '-a'), /exited \(4\)/);
});

onEachEngine('many layers lie one above the other, and whiteouts hide', async (t, runner) => {
  const layers: Buffer[] = [];
  for (let number = 1; number <= 70; number += 1) {
    const hidden = number % 10 === 0 ? [{ name: `./n/.wh.${number - 1}` }] : [];
    const files = [{ name: './n/top', content: `${number}` }, { name: `./n/${number}` }, ...hidden];
    layers.push(rawTar([...folders('./', './n/'), ...files]));
  }
  layers.push(rawTar([...folders('./', './var/', './var/www/'), { name: './var/www/.wh..wh..opq' }]));
  // The same layer again, above what another put in its place: nothing forbids it.
  const again = rawTar([...folders('./', './n/'), { name: './n/again', content: 'first' }]);
  layers.push(again, rawTar([...folders('./', './n/'), { name: './n/again', content: 'second' }]), again);
  const p2c = await runner(t, {}, {}, layers);
  const script = 'cat /n/top; echo; ls /n | wc -l; ls -A /var/www | wc -l; cat /n/again';
  // 70 files but the seven that were hidden, `top` and `again`.
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', script), '70\n65\n0\nfirst');
});

function folders(...names: readonly string[]): { name: string; type: string }[] {
  return names.map((name) => ({ name, type: '5' }));
}
