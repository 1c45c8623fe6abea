import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { profileText } from '../../src/advice/profile-text.ts';
import { propose } from '../../src/advice/proposal.ts';
import { judge } from '../../src/advice/verdict.ts';
import { loadProfile, loadProfileFile } from '../../src/profiles/load.ts';
import type { Profile } from '../../src/profiles/schema.ts';
import { known } from '../../src/source/inspection/fact.ts';
import type { Inspection } from '../../src/source/inspection/inspection.ts';
import type { Listener } from '../../src/source/inspection/sockets.ts';
import { ownedProcess, SERVER, situation } from '../helpers/inspection.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const listener = (port: number, name: string, pid: number, address = '0.0.0.0'): Listener => ({
  protocol: 'tcp',
  address,
  port,
  owners: [{ pid, name }],
});

const BUSY: Partial<Inspection> = {
  processes: known([
    ownedProcess('nginx', { pid: 1 }),
    ownedProcess('shopd', { pid: 2, unit: 'shop' }),
    ownedProcess('legacy', { pid: 3, exe: '/opt/l/legacy' }),
    ownedProcess('sshd', { pid: 4 }),
    ownedProcess('tomcat', { pid: 5, inContainer: true }),
  ]),
  listeners: known([
    listener(80, 'nginx', 1),
    listener(9000, 'shopd', 2),
    listener(9001, 'shopd', 2, '127.0.0.1'),
    listener(7000, 'legacy', 3),
    listener(22, 'sshd', 4),
    listener(8080, 'tomcat', 5),
    { protocol: 'tcp', address: '0.0.0.0', port: 2049, owners: [] },
  ]),
  services: known([
    { name: 'shop', manager: 'systemd', atBoot: true, running: true },
    { name: 'nginx', manager: 'systemd', atBoot: true, running: true },
  ]),
};

function detected(): { profile: Profile; reasons: string[]; running: boolean }[] {
  return [{ profile: loadProfile('nginx'), reasons: ['process nginx'], running: true }];
}

async function written(
  t: ExecutionContext,
  inspection: Partial<Inspection>,
): Promise<{ profile: Profile; text: string }> {
  const whole = { ...SERVER, ...inspection };
  const text = profileText(whole, propose(whole, detected()), judge(situation(inspection)));
  const file = join(await temporaryFolder(t), 'own.yaml');
  writeFileSync(file, text);
  return { profile: loadProfileFile(file), text };
}

test('ports are those that other machines reach, of applications', (t) => {
  const { ports } = propose({ ...SERVER, ...BUSY }, detected());
  t.deepEqual(
    ports.map(({ port }) => port),
    [80, 9000, 7000, 8080],
  );
});

test('a service that no profile knows is stopped and started by its name; what nobody starts is said', (t) => {
  const { steps, unexplained } = propose({ ...SERVER, ...BUSY }, detected());
  t.deepEqual(steps, [
    {
      service: 'shop',
      processes: ['shopd'],
      ports: [
        { port: 9000, protocol: 'tcp' },
        { port: 9001, protocol: 'tcp' },
      ],
    },
  ]);
  t.deepEqual(unexplained, ['legacy (/opt/l/legacy) listens on 7000/tcp']);
});

test('volumes: filesystems of their own and data of databases, one within another only once', (t) => {
  const [root] = SERVER.volumes;
  if (root === undefined) return t.fail();
  const at = (mountPoint: string) => ({ ...root, mountPoint });
  const { volumes } = propose(
    {
      ...SERVER,
      volumes: [
        root,
        at('/boot'),
        at('/boot/grub2/i386-pc'),
        at('/.snapshots'),
        at('/var'),
        at('/srv'),
        { ...at('/mnt/bind'), verdict: 'bind' },
      ],
      dataDirectories: known([
        { application: 'mysql', path: '/srv/mysql', from: 'process 7' },
        { application: 'postgresql', path: '/var/lib/pgsql/data', from: '/etc/x' },
        { application: 'bind', path: '/var/named', from: '/etc/named.conf' },
        { application: 'redis', path: '/var/lib/pgsql/data', from: '/etc/y' },
      ]),
    },
    [],
  );
  t.deepEqual(
    volumes.map(({ path }) => path),
    ['/srv', '/var/lib/pgsql/data'],
  );
  t.regex(volumes[0]?.reason ?? '', /in it data of mysql/);
});

test('limits are proposed where the server has more than p2c gives', (t) => {
  const limits = (nofile: number, memlock: number) => [
    { pid: 1, limits: { nofile: { soft: 1024, hard: nofile }, memlock: { soft: memlock, hard: memlock } } },
  ];
  t.deepEqual(propose({ ...SERVER, limits: limits(4096, 65_536) }, []).limits, {});
  t.deepEqual(propose({ ...SERVER, limits: limits(65_536, -1) }, []).limits, {
    nofile: { soft: 1024, hard: 65_536 },
    memlock: { soft: -1, hard: -1 },
  });
  // Which of the processes comes first makes no difference, and a soft limit alone may be above what p2c gives.
  const nofile = (soft: number, hard: number) => ({ pid: 1, limits: { nofile: { soft, hard } } });
  const several = [nofile(1024, 65_536), nofile(65_536, 65_536), nofile(70_000, -1), nofile(-1, -1)];
  const nofileOf = (all: typeof several) => propose({ ...SERVER, limits: all }, []).limits.nofile;
  t.deepEqual(nofileOf(several.slice(0, 2)), { soft: 65_536, hard: 65_536 });
  t.deepEqual(nofileOf(several.slice(0, 3)), { soft: 70_000, hard: -1 });
  t.deepEqual(nofileOf([...several].reverse()), { soft: -1, hard: -1 });
  t.deepEqual(nofileOf([nofile(4096, 4096)]), { soft: 4096, hard: 4096 });
  const resources = { memoryBytes: 1, processors: 1, uptimeSeconds: 1, sharedMemoryBytes: 1.2e8, hugePages: 0 };
  t.deepEqual(propose({ ...SERVER, resources: known(resources) }, []).limits, { shm: 3e8 });
});

test('churn: folders with most files open for writing first, without what lives in memory', (t) => {
  const openFiles = known({
    written: [
      { path: '/var/log/a', pids: [1] },
      { path: '/data/x/1', pids: [1, 2] },
      { path: '/data/x/2', pids: [2] },
      { path: '/run/z.pid', pids: [2] },
    ],
    deleted: [],
    devices: [],
  });
  t.deepEqual(propose({ ...SERVER, ...BUSY, openFiles }, []).churn, [
    { folder: '/data/x', files: 2, by: ['nginx', 'shopd'] },
    { folder: '/var/log', files: 1, by: ['nginx'] },
  ]);
});

test('the written profile is valid, and says what was proposed', async (t) => {
  const { profile, text } = await written(t, {
    ...BUSY,
    containers: known({ engines: ['docker'], running: [], processes: 1, stores: ['/var/lib/docker'] }),
    limits: [{ pid: 1, limits: { nofile: { soft: 1024, hard: 65_536 } } }],
  });
  t.deepEqual(profile.requires, ['nginx']);
  t.is(profile.stop[0]?.service?.[0], 'shop');
  t.is(profile.start.length, 1);
  t.true(profile.exclude.some(({ path }) => path === '/var/lib/docker/**'));
  t.deepEqual(profile.limits.nofile, { soft: 1024, hard: 65_536 });
  t.regex(text, /^# Write its stop and start steps: legacy/m);
});

test('names that a hostile server chose make no other file, and nothing that a terminal obeys', async (t) => {
  const { profile, text } = await written(t, {
    hostname: 'Bad\nname: x\u001b[31m*',
    release: { name: '"quoted" # not a comment\nstop: [rm -rf /]', id: 'x', version: '', family: 'unknown' },
    dataDirectories: known([{ application: 'mysql', path: "/var/lib/my'sql: # x", from: 'a\nb: c' }]),
    licences: known([{ found: 'line\nstop: []', meaning: 'x' }]),
  });
  t.is(profile.name, 'bad-name-x-31m-');
  t.deepEqual(profile.stop, []);
  t.is(profile.volumes[0]?.path, "/var/lib/my'sql: # x");
  t.false(text.includes('\u001b'));
});
