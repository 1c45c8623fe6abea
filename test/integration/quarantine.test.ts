/** The first boot of a clone: it sees nobody, and what acts by itself waits for its release. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { servicesLabel } from '../../src/oci/services.ts';
import { readState, writeState } from '../../src/runtime/container.ts';
import { findContainer } from '../../src/runtime/containers.ts';
import { bootId, ownIdentity } from '../../src/runtime/process.ts';
import { requirePlugins, requirePrograms, requireRoot } from '../helpers/require.ts';
import { type Runner, remains, runner } from '../helpers/runner.ts';
import type { Tree } from '../helpers/runtime-image.ts';

const service = (name: string): string => `#!/bin/sh\n[ "$1" = start ] && echo ${name} >>/var/log/started\nexit 0\n`;

/** An old system with an init that starts what is linked, as sysvinit does. */
const SYSTEM: Tree = {
  'etc/inittab': '::sysinit:/bin/sh /etc/init.d/rc\n',
  'etc/init.d/rc':
    'chmod +x /etc/init.d/*\nfor link in /etc/rc2.d/S*; do sh "$link" start; done\necho all >>/var/log/started\n',
  'etc/init.d/cron': service('cron'),
  'etc/init.d/postfix': service('postfix'),
  'etc/init.d/shop': service('shop'),
  'etc/rc2.d/S10shop': { link: '../init.d/shop' },
  'etc/rc2.d/S20cron': { link: '../init.d/cron' },
  'etc/rc3.d/S20cron': { link: '../init.d/cron' },
  'etc/rc2.d/S20postfix': { link: '../init.d/postfix' },
  'var/log/old': '',
};

async function started(t: ExecutionContext): Promise<Runner | undefined> {
  if (!requireRoot(t) || !requirePlugins(t) || !requirePrograms(t, ['busybox', 'unshare'])) return undefined;
  const p2c = await runner(t, SYSTEM);
  return p2c;
}

async function namesStarted(p2c: Runner): Promise<string[]> {
  const { stdout } = await p2c.call('exec', 'old', 'cat', '/var/log/started');
  return stdout.split('\n').filter((name) => name !== '');
}

/** What was started, once everything was. */
async function startedServices(p2c: Runner, last: string): Promise<string[]> {
  for (;;) {
    const names = await namesStarted(p2c);
    if (names.includes(last)) return names;
  }
}

test('cron and mail are not started until the release, and then they are', async (t) => {
  const p2c = await started(t);
  if (p2c === undefined) return;
  const run = await p2c.call('run', '-d', '--name', 'old', '--quarantine', 'test:latest', '/bin/init');
  t.is(run.code, 0, run.stderr);
  t.regex(run.stderr, /network 'quarantine', which leads nowhere; held back: cron, postfix; p2c release old/);
  t.deepEqual(await startedServices(p2c, 'all'), ['shop', 'all']);
  t.is(await p2c.ok('exec', 'old', 'ls', '/etc/rc2.d'), 'S10shop');
  t.notRegex(await p2c.ok('exec', 'old', 'ip', 'route'), /default/);
  t.is(await p2c.ok('exec', 'old', 'cat', '/etc/resolv.conf'), '');
  await p2c.ok('network', 'create', '--subnet', '10.92.1.0/24', 'web');
  const released = await p2c.ok('release', '--network', 'web', '--keep', 'mail', 'old');
  t.is(released, 'released: cron; on web');
  t.deepEqual(await startedServices(p2c, 'cron'), ['shop', 'all', 'cron']);
  t.is(await p2c.ok('exec', 'old', 'readlink', '/etc/rc3.d/S20cron'), '../init.d/cron');
  t.regex(await p2c.ok('exec', 'old', 'ip', 'route'), /^default via 10\.92\.1\.1 /m);
  t.is(await p2c.ok('release', 'old'), 'released: postfix; it stays on its network');
  t.is((await p2c.call('release', 'old')).code, 2);
  await p2c.ok('rm', '-f', 'old');
  t.deepEqual(remains(p2c).files, ['names']);
});

test('a release starts what the old server’s runlevel did, files in the place of links too, and nothing else', async (t) => {
  if (!requireRoot(t) || !requirePlugins(t) || !requirePrograms(t, ['busybox', 'unshare'])) return;
  const p2c = await runner(t, {
    'etc/inittab': '::sysinit:/bin/sh /etc/init.d/rc\nid:3:initdefault:\n',
    'etc/init.d/rc': `chmod +x /etc/init.d/* /etc/rc3.d/*
for link in /etc/rc3.d/S*; do [ -e "$link" ] && sh "$link" start; done
echo all >>/var/log/started\n`,
    'etc/init.d/sendmail': service('sendmail'),
    'etc/init.d/postfix': service('postfix'),
    'etc/init.d/cron': service('cron'),
    'etc/rc3.d/K30sendmail': { link: '../init.d/sendmail' },
    'etc/rc5.d/S80sendmail': { link: '../init.d/sendmail' },
    'etc/rc3.d/S20postfix': service('postfix'),
    'etc/rc3.d/S90cron': { link: '../init.d/cron' },
    'var/log/old': '',
  });
  const run = await p2c.call('run', '-d', '--name', 'old', '--quarantine', 'test:latest', '/bin/init');
  t.regex(run.stderr, /held back: cron, postfix, sendmail; /);
  t.deepEqual(await startedServices(p2c, 'all'), ['all']);
  await p2c.ok('release', 'old');
  t.deepEqual((await namesStarted(p2c)).sort(), ['all', 'cron', 'postfix']);
  t.is(await p2c.ok('exec', 'old', 'ls', '-A', '/etc/rc3.d', '/etc/rc5.d'), LINKS);
});

const LINKS = '/etc/rc3.d:\nK30sendmail\nS20postfix\nS90cron\n\n/etc/rc5.d:\nS80sendmail';

test('with systemd a release starts what is enabled, and what a distribution’s own link wants', async (t) => {
  if (!requireRoot(t) || !requirePlugins(t) || !requirePrograms(t, ['busybox', 'unshare'])) return;
  const p2c = await runner(t, {
    'lib/systemd/systemd': '',
    'run/systemd/system/x': '',
    // Says what it is asked for.
    'usr/bin/systemctl': `#!/bin/sh
case "$1 $2" in
  'is-enabled wanted.timer' | 'is-enabled unwanted.timer') echo static ;;
  'is-enabled cron.service') echo disabled; exit 1 ;;
  'is-enabled '*) echo enabled ;;
  'start '*) echo "$2" >>/var/log/started ;;
esac\n`,
    'lib/systemd/system/wanted.timer': '',
    'lib/systemd/system/unwanted.timer': '',
    'lib/systemd/system/timers.target.wants/wanted.timer': { link: '../wanted.timer' },
    'lib/systemd/system/cron.service': '',
    'lib/systemd/system/postfix.service': '',
    'etc/rc2.d/S01cron': { link: '../init.d/cron' },
    'etc/rc3.d/S01fetchmail': { link: '../init.d/fetchmail' },
    'etc/rc1.d/S01sendmail': { link: '../init.d/sendmail' },
    'etc/init.d/cron': service('cron'),
    'etc/init.d/fetchmail': service('fetchmail'),
    'etc/init.d/sendmail': service('sendmail'),
    'var/log/old': '',
  });
  const main = 'chmod +x /usr/bin/systemctl; echo all >/var/log/started; sleep 1000';
  await p2c.ok('run', '-d', '--name', 'old', '--quarantine', 'test:latest', 'sh', '-c', main);
  await startedServices(p2c, 'all');
  await p2c.ok('release', 'old');
  const names = ['all', 'fetchmail', 'postfix.service', 'wanted.timer'];
  t.deepEqual((await namesStarted(p2c)).sort(), names);
});

test('a container that does not run is released too, and the image has none of it', async (t) => {
  const p2c = await started(t);
  if (p2c === undefined) return;
  await p2c.ok('run', '--name', 'old', '--quarantine', 'test:latest', 'true');
  t.regex(await p2c.ok('release', '--json', 'old'), /^\{"released":\[\{"kind":"cron","name":"cron","init":"sysv"\},/);
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'ls', '/etc/rc2.d'), 'S10shop\nS20cron\nS20postfix');
  const open = await p2c.call('run', '--rm', '--quarantine', '--network', 'bridge', 'test:latest', 'true');
  t.is(open.code, 125);
  t.regex(open.stderr, /needs an isolated network/);
});

test('a container that is just starting is released when it is done with that, and not before', async (t) => {
  const p2c = await started(t);
  if (p2c === undefined) return;
  await p2c.ok('run', '--name', 'old', '--quarantine', 'test:latest', 'true');
  const { folder } = await findContainer(p2c.store.root, 'old');
  const before = await readState(folder);
  for (const status of ['starting', 'restarting'] as const) {
    await writeState(folder, { ...before, status, monitor: ownIdentity(), boot: bootId() });
    const released = p2c.call('release', '--keep', status === 'starting' ? 'mail' : 'timers', 'old');
    let done = false;
    const end = released.finally(() => {
      done = true;
    });
    const held = readFileSync(join(folder, 'quarantine.json'), 'utf8');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    t.false(done, status);
    t.is(readFileSync(join(folder, 'quarantine.json'), 'utf8'), held);
    await writeState(folder, before);
    t.is((await end).code, 0);
  }
});

test('what a script starts in place of an init is held back too, also over a restart, until the release', async (t) => {
  if (!requireRoot(t) || !requirePlugins(t) || !requirePrograms(t, ['busybox', 'unshare'])) return;
  const step = (run: string) => ({ run, env: {}, seconds: 20 });
  const logged = (name: string) => ({
    name,
    start: [step(`echo ${name} >>/var/log/started`)],
    stop: [step(`echo no ${name} >>/var/log/started`)],
  });
  const shop = { ...logged('shop'), start: [step('echo shop >>/var/log/started; sleep 1000 >/dev/null 2>&1 &')] };
  const p2c = await runner(
    t,
    { 'var/log/old': '' },
    { Labels: servicesLabel([logged('cron'), logged('postfix'), shop]) },
  );
  const run = await p2c.call('run', '-d', '--name', 'old', '--quarantine', '--init', 'services', 'test:latest');
  t.regex(run.stderr, /held back: cron, postfix; p2c release old/);
  t.deepEqual(await startedServices(p2c, 'shop'), ['shop']);
  await p2c.ok('restart', 'old');
  // What is not held back is stopped and started.
  const restarted = ['shop', 'no shop', 'shop'];
  while ((await startedServices(p2c, 'shop')).length < restarted.length);
  t.is(await p2c.ok('release', '--keep', 'mail', 'old'), 'released: cron; it stays on its network');
  t.deepEqual(await startedServices(p2c, 'cron'), [...restarted, 'cron']);
  await p2c.ok('stop', 'old');
  t.is(await p2c.ok('release', 'old'), 'released: postfix; it stays on its network');
  await p2c.ok('start', 'old');
  const after = await startedServices(p2c, 'postfix');
  t.deepEqual(after.slice(0, 6), [...restarted, 'cron', 'no shop', 'no cron']);
  t.deepEqual(after.slice(6, 8), ['cron', 'postfix']);
});
