import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { type LabOptions, labServer, startLabServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../scripts/lab', import.meta.url));

for (const suite of ['bullseye', 'bookworm', 'trixie'] satisfies LabOptions['suite'][]) {
  test(`a ${suite} server looks like one from inside`, async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, `look-${suite}`, { suite, hostile: true });

    const mounts = (await server.exec('cat /proc/self/mountinfo')).trimEnd().split('\n');
    const disks = mounts.map((line) => line.split(' ')).filter((fields) => fields.includes('ext4'));
    t.deepEqual(
      disks.map((fields) => [fields[3], fields[4]]),
      [
        ['/', '/'],
        ['/', '/boot'],
        ['/', '/data'],
        ['/', '/tmp'],
        ['/etc/bind', '/var/named/chroot/etc/bind'],
      ],
    );
    t.true(disks.every((fields) => /^\/dev\/loop\d+$/.test(fields.at(-2) ?? '')));

    const processes = (await server.exec('ps -e -o pid=,comm=')).trim().split(/\n\s*/);
    t.regex(processes[0] ?? '', /^1 init$/);
    for (const name of ['cron', 'nginx', 'sshd'])
      t.true(
        processes.some((line) => line.endsWith(` ${name}`)),
        name,
      );
    t.regex(await server.exec('cat /etc/debian_version'), { bullseye: /^11/, bookworm: /^12/, trixie: /^13/ }[suite]);
    t.is(await server.exec('hostname'), `${server.name}\n`);
    t.regex(await server.exec('getcap /opt/app/bin/serve'), /cap_net_bind_service[+=]ep/);
    t.is(await server.exec('stat -c %h /opt/app/share/linked /root/linked'), '2\n2\n');
    t.is(await server.exec('sudo -n id -u', 'admin'), '0\n');
    await t.throwsAsync(server.exec('sudo -n id -u', 'joe'), { message: /password is required|not allowed/ });
  });
}

test('a server has systemd as its init where that is asked for', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'look-systemd', { systemd: true });
  t.is(await server.exec('cat /proc/1/comm'), 'systemd\n');
  t.is(await server.exec('systemctl is-system-running --wait'), 'running\n');
  t.is(await server.exec('systemctl is-active ssh nginx cron'), 'active\nactive\nactive\n');
});

/** The files behind the machine's loop devices: losetup gives its list up when a device goes away meanwhile. */
async function loopFiles(): Promise<string> {
  return (await run('sh', ['-c', 'cat /sys/block/loop*/loop/backing_file 2>/dev/null || true'])).stdout;
}

test('a server that went down leaves nothing', async (t) => {
  if (!requireRoot(t)) return;
  const server = await startLabServer('gone');
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  t.false((await run('ip', ['netns', 'list'])).stdout.includes(server.netns));
  t.false((await run('ip', ['link'])).stdout.includes(server.netns));
  t.false((await loopFiles()).includes(`/${server.name}/`));
  await t.throwsAsync(readFile(server.identity), { code: 'ENOENT' });
  await t.throwsAsync(readFile(`/proc/${server.pid}/ns/net`));
});

test('an attempt that fails leaves nothing, and says what failed', async (t) => {
  if (!requireRoot(t)) return;
  const name = `broken-${process.pid}`;
  const cache = await run('mktemp', ['-d']);
  t.teardown(() => run('rm', ['-rf', cache.stdout.trim()]).then(() => undefined));
  // A suite's base that is no tar: unpacking it fails inside the new namespaces, with disks mounted already.
  const make = `. scripts/lib/setup.sh; . scripts/lib/lab-base.sh; build_base() { echo no tar >"$2"; }; base_tar bookworm`;
  await run('bash', ['-euc', make], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, P2C_LAB_CACHE: cache.stdout.trim() },
  });
  await t.throwsAsync(run(SCRIPT, ['up', name], { env: { ...process.env, P2C_LAB_CACHE: cache.stdout.trim() } }), {
    message: /did not come up/,
  });
  t.false((await run('ip', ['netns', 'list'])).stdout.includes(name));
  t.false((await loopFiles()).includes(name));
  t.false((await run(SCRIPT, ['list'])).stdout.includes(name));
});

test('names that would leave the state folder are refused', async (t) => {
  if (!requireRoot(t)) return;
  for (const name of ['..', 'a/b', '-x', '', 'A']) await t.throwsAsync(run(SCRIPT, ['down', name]));
});
