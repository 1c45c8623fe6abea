/** Containers of a user who is not root: what they are, what they cannot reach, what is missing, and that nothing stays. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import type { ExecutionConfig } from '../../src/oci/spec.ts';
import { SYSTEM_LABELS } from '../../src/oci/system-labels.ts';
import { NOTHING_REMAINS, type OrdinaryUser, ordinaryUser, ownersOf, remainsOf } from '../helpers/ordinary-user.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { busyboxTar, type Tree } from '../helpers/runtime-image.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function ready(t: ExecutionContext): boolean {
  const programs = [
    'busybox',
    'newuidmap',
    'newgidmap',
    'unshare',
    'nsenter',
    'setpriv',
    'useradd',
    'hostname',
    'perl',
  ];
  return requireRoot(t) && requirePrograms(t, programs);
}

const SERVE: ExecutionConfig = { Cmd: ['sh', '-c', 'echo up; exec httpd -f -h /var/www'] };

/** Its second layer has other owners, device nodes, a name that is taken away, and a folder that hides the lower one. */
async function user(t: ExecutionContext, execution: ExecutionConfig = SERVE, tree: Tree = {}): Promise<OrdinaryUser> {
  const upper = rawTar([
    { name: './', type: '5' },
    { name: './.wh.gone' },
    { name: './hides/', type: '5' },
    { name: './hides/.wh..wh..opq' },
    { name: './hides/new', content: 'new' },
    { name: './data/', type: '5', pax: { uid: '1000', gid: '1000' } },
    { name: './data/row', content: 'row', pax: { uid: '33', gid: '44' } },
    { name: './null', type: '3', device: [1, 3] },
    { name: './disk', type: '4', device: [8, 0] },
    { name: './null-again', type: '1', link: 'null' },
  ]);
  const lower = await busyboxTar(t, { 'gone/file': 'x', 'hides/old': 'x', ...tree });
  return ordinaryUser(t, [lower, upper], execution);
}

/** Processes end a moment after they are told to. */
async function nothingRemains(t: ExecutionContext, who: OrdinaryUser): Promise<void> {
  const end = performance.now() + 10_000;
  while (remainsOf(who).processes.length > 0 && performance.now() < end) await setTimeout(50);
  t.deepEqual(remainsOf(who), NOTHING_REMAINS);
}

const inspected = z.tuple([z.object({ State: z.object({ Pid: z.int(), MonitorPid: z.int() }) })]);

async function pidsOf(p2c: OrdinaryUser, name: string): Promise<{ Pid: number; MonitorPid: number }> {
  return inspected.parse(JSON.parse(await p2c.ok('container', 'inspect', name)))[0].State;
}

test.serial('a command of an image: root inside, its user outside; owners, whiteouts and devices', async (t) => {
  if (!ready(t)) return;
  const p2c = await user(t);
  const script = [
    'id -u; cat /proc/self/uid_map | tr -s " "; ls -nd /data /data/row | tr -s " " | cut -d" " -f3,4; hostname',
    'ls / | tr "\\n" " "; echo; ls /hides; stat -c %t:%T /dev/null; echo gone >/dev/null; head -c 2 /dev/zero | wc -c',
    'cat /sys/class/net/lo/flags; echo told >&2; touch /made; chown 7:8 /made; exit 7',
  ].join(';');
  const ended = await p2c.call('run', '--rm', '-h', 'old01', 'test:latest', 'sh', '-c', script);
  t.is(ended.code, 7, ended.stderr);
  t.deepEqual(
    ended.stdout
      .trim()
      .split('\n')
      .map((line) => line.trim()),
    [
      ...['0', `0 ${p2c.uid} 1`, `1 ${p2c.firstId} 65536`, '1000 1000', '33 44', 'old01'],
      ...['bin data dev etc hides home proc root sys tmp var', 'new', '1:3', '2', '0x9'],
    ],
  );
  t.is(ended.stderr, 'p2c: 3 device nodes of the image left out, for only root can make them\ntold\n');
  t.is((await p2c.call('run', '--rm', 'test:latest', 'nosuch')).code, 127);
  await nothingRemains(t, p2c);
});

test.serial('a server in the background, all its life', async (t) => {
  if (!ready(t)) return;
  const p2c = await user(t);
  const id = await p2c.ok('run', '-d', '--name', 'web', '-v', 'kept:/data', 'test:latest');
  t.is(await p2c.ok('exec', 'web', 'wget', '-qO-', 'http://127.0.0.1/'), 'the page');
  t.is(await p2c.ok('exec', '-u', 'web', 'web', 'id', '-u'), '1000');
  t.regex(await p2c.ok('exec', '-t', 'web', 'tty'), /^\/dev\/pts\/\d+/);
  t.is((await p2c.call('exec', 'web', 'sh', '-c', 'exit 9')).code, 9);
  t.is(await p2c.ok('logs', 'web'), 'up');
  t.is(await p2c.ok('ps', '-q'), id.slice(0, 12));
  t.regex(await p2c.ok('top', 'web'), /^root +1 .*httpd/m);
  t.regex(await p2c.ok('stats', '--no-stream', 'web'), /web/);
  // What the image has there, its owners too, as the machine numbers them.
  const row = join(p2c.root, 'volumes/kept/_data/row');
  t.deepEqual(ownersOf(row), [p2c.firstId + 32, p2c.firstId + 43]);
  const file = join(p2c.home, 'file');
  writeFileSync(file, 'from outside');
  await p2c.ok('cp', file, 'web:/root/file');
  t.is(await p2c.ok('exec', 'web', 'stat', '-c', '%u:%g', '/root/file'), '0:0');
  await p2c.ok('cp', 'web:/data/row', join(p2c.home, 'row'));
  t.deepEqual(ownersOf(join(p2c.home, 'row')), [p2c.uid, p2c.gid]);
  await p2c.ok('stop', '-t', '0', 'web');
  t.is(await p2c.ok('wait', 'web'), '137');
  await p2c.ok('cp', file, 'web:/root/later');
  await p2c.ok('start', 'web');
  t.is(await p2c.ok('exec', 'web', 'cat', '/root/file', '/root/later'), 'from outsidefrom outside');
  await p2c.ok('restart', '-t', '0', 'web');
  t.is((await p2c.call('rm', 'web')).code, 2);
  await p2c.ok('kill', 'web');
  await p2c.ok('rm', '-f', 'web');
  await p2c.ok('volume', 'rm', 'kept');
  t.false(existsSync(row));
  await p2c.ok('prune', '-a', '-f');
  t.regex(await p2c.ok('doctor', '--clean'), /removed 0 strays/);
  await nothingRemains(t, p2c);
});

test.serial(
  'containers begun at once share a user namespace, and one without its monitor is still to be entered',
  async (t) => {
    if (!ready(t)) return;
    const p2c = await user(t);
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => p2c.ok('run', '-d', '--name', name, 'test:latest', 'sleep', '1000')));
    const all = await Promise.all(names.map((name) => pidsOf(p2c, name)));
    t.is(new Set(all.map(({ Pid }) => readlinkSync(`/proc/${Pid}/ns/user`))).size, 1);
    process.kill(all[0]?.MonitorPid ?? 0, 'SIGKILL');
    await p2c.ok('rm', '-f', 'b', 'c', 'd');
    t.is(await p2c.ok('exec', 'a', 'echo', 'still there'), 'still there');
    await p2c.ok('rm', '-f', 'a');
    await nothingRemains(t, p2c);
  },
);

test.serial(
  'networks: none, the machine’s, another’s; what only root has is refused before anything is made',
  async (t) => {
    if (!ready(t)) return;
    const p2c = await user(t);
    await p2c.ok('run', '-d', '--name', 'web', 'test:latest');
    const interfaces = ['ls', '/sys/class/net'];
    t.is(await p2c.ok('run', '--rm', 'test:latest', ...interfaces), 'lo');
    const page = ['wget', '-qO-', 'http://127.0.0.1/'];
    t.is(await p2c.ok('run', '--rm', '--network', 'container:web', 'test:latest', ...page), 'the page');
    const namespace = ['readlink', '/proc/self/ns/net'];
    const ofHost = await p2c.ok('run', '--rm', '--network', 'host', 'test:latest', ...namespace);
    t.is(ofHost, readlinkSync('/proc/self/ns/net'));
    t.not(await p2c.ok('run', '--rm', 'test:latest', ...namespace), ofHost);
    t.not((await p2c.call('run', '--rm', '--network', 'host', 'test:latest', 'touch', '/sys/x')).code, 0);
    for (const [words, reason] of [
      [['-p', '8080:80'], /-p takes a network of this machine.*--network host/s],
      [['--network', 'bridge'], /--network bridge takes a network/],
      [['--memory', '64m', '--pids-limit', '9'], /--memory, --pids-limit: without root/],
      [['--engine', 'runc'], /runc runs containers as root only/],
      [['--ulimit', 'nofile=99999999'], /nofile: 99999999 is above/],
      [['--quarantine'], /--quarantine takes a network/],
    ] as const) {
      const { code, stderr } = await p2c.call('run', '--rm', ...words, 'test:latest', 'true');
      t.is(code, 125, words.join(' '));
      t.regex(stderr, reason);
    }
    t.regex((await p2c.call('network', 'create', 'x')).stderr, /networks are made and removed by root/);
    t.is((await p2c.ok('ps', '-aq')).split('\n').length, 1);
    await p2c.ok('rm', '-f', 'web');
    await nothingRemains(t, p2c);
  },
);

test.serial('an init boots, is looked into and halts; systemd, which needs cgroups, is refused', async (t) => {
  if (!ready(t)) return;
  const labelled = (init: string): ExecutionConfig => ({ Labels: { [SYSTEM_LABELS.init]: init } });
  // busybox's own init, which powers off at SIGUSR2.
  const inittab = '::sysinit:/bin/echo booted\n::respawn:/bin/httpd -f -h /var/www\n::shutdown:/bin/echo going\n';
  const tree = { 'sbin/init': { link: '../bin/busybox' }, 'etc/inittab': inittab };
  const p2c = await user(t, labelled('sysvinit'), tree);
  await p2c.ok('run', '-d', '--name', 'old', '--stop-signal', 'SIGUSR2', 'test:latest');
  const page = ['exec', 'old', 'wget', '-qO-', 'http://127.0.0.1/'];
  while ((await p2c.call(...page)).code !== 0) await setTimeout(100);
  t.is(await p2c.ok('exec', 'old', 'cat', '/proc/1/comm'), 'init');
  await p2c.ok('stop', '-t', '60', 'old');
  t.is(await p2c.ok('wait', 'old'), '0');
  t.regex(await p2c.ok('logs', 'old'), /booted.*going/s);
  await p2c.ok('rm', 'old');
  await nothingRemains(t, p2c);
  const other = await user(t, labelled('systemd'), tree);
  const { code, stderr } = await other.call('run', '--rm', 'test:latest');
  t.is(code, 125);
  t.regex(stderr, /systemd has no cgroups that it may write to/);
  t.false(existsSync(join(other.root, 'containers')));
});

test.serial('root inside is nobody else outside: others’ files, the machine’s settings, devices', async (t) => {
  if (!ready(t)) return;
  const p2c = await user(t);
  const place = await temporaryFolder(t);
  chmodSync(place, 0o755);
  const canary = join(place, 'canary');
  writeFileSync(canary, 'as it was', { mode: 0o644 });
  const secret = join(place, 'secret');
  writeFileSync(secret, 'for root', { mode: 0o600 });
  chownSync(canary, 12_345, 12_345);
  const own = join(p2c.home, 'own');
  mkdirSync(own);
  chownSync(own, p2c.uid, p2c.gid);
  const before = statSync(canary);
  for (const options of [[], ['--privileged'], ['--cap-add', 'all']]) {
    const run = ['run', '--rm', ...options, '-v', `${place}:/place`, '-v', '/:/machine', '-v', `${own}:/own`];
    // One container for all, which tells those that were not denied.
    const attempts = [
      ...['cat /place/secret', 'cat /machine/etc/shadow', 'echo x >/place/canary', 'rm /place/canary'],
      ...['chown 0 /place/canary', 'chmod 666 /place/canary', 'echo x >/machine/etc/passwd', 'touch /machine/etc/x'],
      ...['mknod /own/disk b 8 0', 'mknod /tmp/null c 1 3', 'echo 1 >/proc/sys/kernel/printk', 'ls /machine/root'],
      ...['chroot /machine cat /etc/shadow', 'cat /proc/kcore', 'echo x >/sys/kernel/uevent_helper'],
    ];
    const each = 'for attempt; do if sh -c "$attempt" >/dev/null 2>&1; then echo "$attempt"; fi; done; echo all tried';
    t.is(await p2c.ok(...run, 'test:latest', 'sh', '-c', each, 'sh', ...attempts), 'all tried', options.join(' '));
    // What is the user's own is at its root's hand, and owners are ids of his.
    await p2c.ok(...run, 'test:latest', 'sh', '-c', 'echo mine >/own/file; chown 5:6 /own/file');
    t.deepEqual(ownersOf(join(own, 'file')), [p2c.firstId + 4, p2c.firstId + 5]);
    await p2c.ok(...run, 'test:latest', 'rm', '/own/file');
  }
  const after = statSync(canary);
  t.is(readFileSync(canary, 'utf8'), 'as it was');
  t.deepEqual([after.uid, after.gid, after.mode, after.ctimeMs], [before.uid, before.gid, before.mode, before.ctimeMs]);
  await nothingRemains(t, p2c);
});

test.serial('what is missing is told all at once, and nothing is made', async (t) => {
  if (!ready(t)) return;
  const p2c = await user(t);
  const without = ['/usr/bin/newuidmap', '/etc/subuid', '/etc/subgid'];
  const { code, stderr } = await p2c.callWithout(without, 'run', '--rm', 'test:latest', 'true');
  t.is(code, 125);
  for (const each of [
    ...[/newuidmap is not installed/, /\/etc\/subuid gives \S+ 0 user ids/, /\/etc\/subgid gives \S+ 0 group ids/],
    ...[/install uidmap/, /usermod --add-subuids/, /sudo p2c/],
  ]) {
    t.regex(stderr, each);
  }
  for (const name of ['rootless', 'containers', 'snapshots', 'engines'])
    t.false(existsSync(join(p2c.root, name)), name);
  const doctor = await p2c.callWithout(without, 'doctor', '--json');
  t.is(doctor.code, 1);
  const { canRun, machine } = JSON.parse(doctor.stdout);
  t.false(canRun);
  t.is(machine.withoutRoot.length, 3);
  // What needs no container needs none of it.
  const images = await p2c.callWithout(without, 'images');
  t.regex(images.stdout, /test +latest/);
  t.is((await p2c.callWithout(without, 'prune', '-f')).code, 0);
  t.is((await p2c.callWithout(without, 'rm', 'nosuch')).code, 2);
});

test.serial('doctor says that they can be run, having run one', async (t) => {
  if (!ready(t)) return;
  const p2c = await user(t);
  const { canRun, engines, machine, strays } = JSON.parse(await p2c.ok('doctor', '--json'));
  t.true(canRun);
  t.deepEqual(engines, ['namespaces']);
  t.deepEqual(machine.withoutRoot, []);
  t.deepEqual(strays, []);
  t.deepEqual(remainsOf(p2c).processes, []);
});
