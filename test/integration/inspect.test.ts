/** `p2c inspect` on real servers: each fact is held against what the server itself says of it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadProfileFile } from '../../src/profiles/load.ts';
import { type BusyboxServer, startBusyboxServer } from '../helpers/busybox-server.ts';
import { cli, startCli } from '../helpers/cli.ts';
import { type LabServer, labServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** What the CLI printed, looked at as a script would. */
type Json = ReturnType<typeof JSON.parse>;

/** Both let go of the connection that started them; each is there once the script ends. */
const NOISE = `mkdir -p /srv/drop /var/spool/cron/crontabs
disk=/dev/$(ls /dev | grep '^loop' | head -n 1)
( cd /srv/drop; exec 4>gone 5>>kept 6<"$disk" 7>"$(printf 'odd\\033[31m\\nname')"; exec setsid sleep 100000 ) </dev/null >/dev/null 2>&1 &
( exec setsid sh -c 'while :; do sleep 1000; done' worker --token=hush2 ) </dev/null >/dev/null 2>&1 &
until [ -e /srv/drop/odd* ]; do sleep 0.1; done
rm /srv/drop/gone
printf '5 4 * * 1 /usr/bin/backup --password=hush\\n6 4 * * * curl -u bob:hush3 http://x/\\n' >/var/spool/cron/crontabs/admin
printf 'Europe/Zurich\\n' >/etc/timezone
printf 'LANG="de_CH.UTF-8"\\n' >/etc/default/locale
mkdir -p /srv/drop/lower /srv/drop/upper /srv/drop/work /srv/drop/merged
mount -t overlay -o lowerdir=/srv/drop/lower,upperdir=/srv/drop/upper,workdir=/srv/drop/work overlay /srv/drop/merged
mkdir -p /opt/app && touch /opt/app/license.dat && cp /bin/sleep /opt/app/lmgrd
( exec setsid /opt/app/lmgrd 100000 ) </dev/null >/dev/null 2>&1 &
( exec setsid unshare -p -f sleep 100001 ) </dev/null >/dev/null 2>&1 &
until pgrep -x lmgrd && pgrep -f 'sleep 10000[1]'; do sleep 0.1; done >/dev/null`;

let databases: LabServer | undefined;

async function sysvinit(): Promise<LabServer> {
  databases ??= await startLabServer('inspect', { packages: ['mariadb-server', 'postgresql', 'redis-server'] });
  return databases;
}

test.after.always(async () => databases?.[Symbol.asyncDispose]());

function connection(server: LabServer, user = 'root'): string[] {
  return [`${user}@${server.address}`, '--identity', server.identity, '--known-hosts', server.knownHosts, '-F', 'none'];
}

async function inspected(t: ExecutionContext, words: readonly string[], code = 0): Promise<Json> {
  const ended = await cli(['inspect', ...words, '--json']);
  t.is(ended.code, code, ended.stderr);
  return JSON.parse(ended.stdout);
}

/** The lines that a command prints on the server, sorted. */
async function truth(server: LabServer, command: string): Promise<string[]> {
  const lines = (await server.exec(command)).split('\n').filter((line) => line !== '');
  return [...new Set(lines)].sort();
}

const told = (lines: readonly string[]): string[] => [...new Set(lines)].sort();

test.serial('a sysvinit server with databases: every fact is true', async (t) => {
  if (!requireRoot(t)) return;
  const server = await sysvinit();
  await server.exec(NOISE);
  await server.exec(
    'until mysqladmin ping && redis-cli ping && su postgres -c "psql -c \\"select 1\\""; do sleep 0.2; done >/dev/null 2>&1',
  );
  const processes = (): Promise<string[]> => truth(server, 'ps -eo pid=,comm=,uid= | sed "s/^ *//;s/  */ /g"');
  const processesBefore = await processes();
  const { facts, verdict, proposal, ledger } = await inspected(t, connection(server));
  const processesAfter = await processes();

  const [kernel, machine, hostname] = (await server.exec('uname -r; uname -m; uname -n')).split('\n');
  t.like(facts, { kernel, machine, hostname, root: true });
  t.like(facts.release, { id: 'debian', version: '12', family: 'debian' });
  t.deepEqual(facts.libc, {
    value: { kind: 'glibc', version: (await server.exec('getconf GNU_LIBC_VERSION')).trim().split(' ')[1] },
  });
  t.deepEqual(facts.userlandBits, { value: 64 });
  t.like(facts.init.value, { kind: 'sysvinit', program: (await server.exec('readlink /proc/1/exe')).trim() });
  t.is(facts.runlevel.value.current, (await server.exec('runlevel')).trim().split(' ')[1]);
  t.is(
    facts.resources.value.memoryBytes,
    1024 * Number((await server.exec("sed -n 's/MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo")).trim()),
  );

  t.deepEqual(
    told(facts.packages.value.installed.map((each: Json) => `${each.name} ${each.version}`)),
    await truth(server, 'dpkg -l | awk \'/^ii/ { sub(/:.*/, "", $2); print $2, $3 }\''),
  );
  t.deepEqual(
    told(
      facts.listeners.value.map(
        (each: Json) =>
          `${each.protocol} ${each.address} ${each.port} ${each.owners.map(({ name }: Json) => name).sort()[0]}`,
      ),
    ),
    await truth(
      server,
      `ss -Hlntup | awk '{ p = $5; sub(/.*:/, "", p); a = $5; sub(/:[0-9]*$/, "", a); gsub(/[][]/, "", a); split($7, q, "\\""); print $1, a, p, q[2] }'`,
    ),
  );
  // Terminals that have no line, and workers of databases, come and go; the rest is ps itself and its connection.
  const sshd = facts.listeners.value.find((each: Json) => each.port === 22).owners[0].pid;
  const ofTheMoment = (line: string): boolean =>
    / (?:getty|ps|sed|bash|postgres) /.test(line) || (/ sshd /.test(line) && !line.startsWith(`${sshd} `));
  t.deepEqual(
    told(facts.processes.value.map((each: Json) => `${each.pid} ${each.name} ${each.uid}`)).filter(
      (line) => !ofTheMoment(line),
    ),
    processesBefore.filter((line) => processesAfter.includes(line) && !ofTheMoment(line)),
  );
  t.true(facts.processes.value.some(({ name }: Json) => name === 'postgres'));
  t.is(facts.processes.value.find(({ name }: Json) => name === 'mariadbd').package, 'mariadb-server-core');
  t.is(facts.processes.value.find(({ name }: Json) => name === 'init').package, 'sysvinit-core');

  // /etc/localtime is a link to its zone in UTC as debootstrap makes it; without tzdata there is none.
  const link = (await server.exec('readlink /etc/localtime || true')).trim().replace(/^.*zoneinfo\//, '');
  t.is(facts.timeZone.value, link === '' ? 'Europe/Zurich' : link);
  t.is(facts.timeZone.note, (await server.exec("date '+%Z %z'")).trim());
  t.deepEqual(facts.locale, { value: 'de_CH.UTF-8' });
  const loaded = Number(await server.exec('cat /proc/modules 2>/dev/null | wc -l'));
  t.is(facts.modules.value.loaded, loaded);
  const enforcing = (await server.exec('cat /sys/fs/selinux/enforce 2>/dev/null || true')).trim();
  t.is(facts.guards.value.selinux, { 0: 'permissive', 1: 'enforcing' }[enforcing] ?? 'disabled');
  t.deepEqual(told(facts.licences.value.map(({ found }: Json) => found)), ['/opt/app/license.dat', 'process lmgrd']);
  t.true(verdict.findings.some(({ id, message }: Json) => id === 'licence' && /lmgrd/.test(message)));
  t.is(facts.containers.value.processes, 1);
  t.is(facts.processes.value.find(({ args }: Json) => args === 'sleep 100001').inContainer, true);
  const root = facts.volumes.find((each: Json) => each.mountPoint === '/');
  t.deepEqual(root.layers, [`loop ${(await server.exec(`losetup -nO BACK-FILE ${root.device}`)).trim()}`]);

  const sizes = new Map(facts.volumes.map((each: Json) => [each.mountPoint, each.size.value?.bytes]));
  for (const line of await truth(server, 'df -P -k / /boot /data /tmp | sed 1d')) {
    const [, blocks, , , , mountPoint] = line.split(/\s+/);
    t.is(sizes.get(mountPoint), Number(blocks) * 1024);
  }
  t.is(facts.volumes.find((each: Json) => each.mountPoint === '/var/named/chroot/etc/bind').verdict, 'bind');
  t.like(
    facts.volumes.find((each: Json) => each.mountPoint === '/srv/drop/merged'),
    { type: 'overlay', verdict: 'bind' },
  );

  t.deepEqual(
    told(facts.services.value.filter((each: Json) => each.atBoot).map(({ name }: Json) => name)),
    // Those two tidy up after the boot, and are no services.
    (await truth(server, "ls /etc/rc2.d | sed -n 's/^S[0-9]*//p'")).filter(
      (name) => !/^(?:bootlogs|rmnologin)$/.test(name),
    ),
  );
  t.deepEqual(
    told(facts.users.value.ofNote.filter((each: Json) => each.reason === 'logs in').map(({ name }: Json) => name)),
    await truth(server, "getent passwd | awk -F: '$3 >= 500 && $3 < 65534 && $7 !~ /nologin|false/ { print $1 }'"),
  );
  t.deepEqual(
    told(facts.network.value.addresses.map(({ address }: Json) => address)),
    await truth(server, "ip -o addr show | awk '{ print $4 }'"),
  );
  t.deepEqual(
    told(facts.network.value.routes.map(({ to }: Json) => to)),
    await truth(server, "ip route show | awk '{ print $1 }'"),
  );
  const job = facts.schedule.value.find(({ from }: Json) => from.endsWith('/admin'));
  t.deepEqual(job, {
    from: '/var/spool/cron/crontabs/admin',
    when: '5 4 * * 1',
    what: '/usr/bin/backup --password=[secret]',
  });

  const directories = new Map(facts.dataDirectories.value.map((each: Json) => [each.application, each.path]));
  const slash = (text: string): string => text.trim().replace(/\/$/, '');
  t.is(directories.get('mysql'), slash(await server.exec("mysql -N -B -e 'select @@datadir'")));
  t.is(directories.get('postgresql'), slash(await server.exec('su postgres -c \'psql -At -c "show data_directory"\'')));
  t.is(directories.get('redis'), slash((await server.exec('redis-cli config get dir')).split('\n')[1] ?? ''));

  t.true(facts.openFiles.value.written.some(({ path }: Json) => path === '/srv/drop/kept'));
  t.true(facts.openFiles.value.deleted.some(({ path }: Json) => path === '/srv/drop/gone'));
  t.true(facts.openFiles.value.devices.some(({ path }: Json) => /^\/dev\/loop\d+$/.test(path)));
  t.true(verdict.findings.some(({ id, flag }: Json) => id === 'raw-devices' && /^run --device \/dev\/loop/.test(flag)));
  t.is(verdict.answer, 'needs a flag');

  t.deepEqual(told(proposal.profiles.filter(({ running }: Json) => running).map(({ name }: Json) => name)), [
    'cron',
    'mysql',
    'nginx',
    'postgresql',
    'redis',
  ]);
  t.deepEqual(
    told(proposal.volumes.map(({ path }: Json) => path)),
    told(['/data', ...directories.values()].map(String)),
  );
  t.deepEqual(proposal.ports, [{ port: 80, protocol: 'tcp' }]);
  t.true(ledger.every(({ changesSource }: Json) => changesSource === false));
});

test.serial('nothing on the server changes, and no secret of it gets out', async (t) => {
  if (!requireRoot(t)) return;
  const server = await sysvinit();
  // Databases write by themselves; a login writes its records, with or without p2c.
  const list =
    "find / -xdev \\( -path /run -o -path /var/lib/mysql -o -path /var/lib/postgresql -o -path /var/lib/redis -o -path /var/log -o -path /srv/drop \\) -prune -o -printf '%p %T@ %C@ %s\\n' | sort";
  const before = await server.exec(list);
  const folder = await temporaryFolder(t);
  const files = ['--save', join(folder, 'save.json'), '--write-profile', join(folder, 'plan.yaml')];
  // A file that was there has no wider mode afterwards.
  writeFileSync(join(folder, 'save.json'), '', { mode: 0o644 });
  const page = await cli(['inspect', ...connection(server), ...files]);
  t.is(page.code, 0, page.stderr);
  const after = new Set((await server.exec(list)).split('\n'));
  t.deepEqual(
    before.split('\n').filter((line) => !after.has(line)),
    [],
  );
  const said = [
    page.stdout,
    page.stderr,
    readFileSync(join(folder, 'save.json'), 'utf8'),
    readFileSync(join(folder, 'plan.yaml'), 'utf8'),
  ].join('\n');
  t.is(statSync(join(folder, 'save.json')).mode & 0o777, 0o600);
  t.false(said.includes('hush'));
  t.false(said.includes('\x1b'));
  t.regex(page.stdout, /^Verdict: root@\S+ will work with: run --device/m);

  const profile = loadProfileFile(join(folder, 'plan.yaml'));
  t.deepEqual([...profile.requires].sort(), ['cron', 'mysql', 'nginx', 'postgresql', 'redis']);
  t.deepEqual(profile.ports, [{ port: 80, protocol: 'tcp' }]);
  const dry = await cli([
    'audit',
    ...connection(server),
    '--profile',
    join(folder, 'plan.yaml'),
    '--why',
    '/var/lib/mysql',
  ]);
  t.is(dry.code, 0, dry.stderr);
  const checked = await cli(['profiles', 'check', join(folder, 'plan.yaml')]);
  t.is(checked.code, 0, checked.stderr);
  const planned = await cli(
    ['migrate', ...connection(server), '--profile', join(folder, 'plan.yaml'), '--tag', 'old:1', '--dry-run'],
    { P2C_ROOT: join(folder, 'store') },
  );
  t.is(planned.code, 0, planned.stderr);
  for (const step of ['stop nginx', 'stop mysql', 'start postgresql']) t.true(planned.stdout.includes(step), step);
  const again = await cli(['inspect', ...connection(server), '--write-profile', join(folder, 'plan.yaml')]);
  t.is(again.code, 2);

  const same = await cli(['inspect', ...connection(server), '--compare', join(folder, 'save.json')]);
  t.is(same.code, 0, same.stdout);
  await server.exec('service nginx stop');
  t.teardown(() => server.exec('service nginx start'));
  const other = await cli(['inspect', ...connection(server), '--compare', join(folder, 'save.json')]);
  t.is(other.code, 4, other.stderr);
  t.regex(other.stdout, /^ {2}- tcp 0\.0\.0\.0 port 80: nginx$/m);
});

test.serial('without root, what only root may see is not known, and said so', async (t) => {
  if (!requireRoot(t)) return;
  const server = await sysvinit();
  const { facts, verdict } = await inspected(t, connection(server, 'joe'), 3);
  t.false(facts.root);
  t.is(verdict.answer, 'will not');
  t.is(verdict.findings[0].id, 'privilege');
  const batch = join(await temporaryFolder(t), 'hosts.ini');
  writeFileSync(batch, `one ansible_host=${server.address} ansible_user=joe\n`);
  const many = await cli(['inspect', '-i', batch, ...connection(server).slice(1)], {
    P2C_ROOT: join(batch, '..', 'store'),
  });
  t.is(many.code, 3, many.stderr);
  t.regex(many.stdout, /^one +blind spots +will not /m);
  t.regex(facts.openFiles.note, /not root/);
  t.regex(facts.schedule.note, /not root/);
  t.true(facts.listeners.value.some(({ port }: Json) => port === 80));
  const sudo = await inspected(t, connection(server, 'admin'));
  t.true(sudo.facts.root);
  t.is(sudo.facts.schedule.note, undefined);
});

test('Ctrl-C ends an inspection; under --json a host key that was just taken is told on standard error', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'inspect-interrupted');
  const fresh = join(await temporaryFolder(t), 'known_hosts');
  const words = [
    `root@${server.address}`,
    '--identity',
    server.identity,
    '-F',
    'none',
    '--known-hosts',
    fresh,
    '--json',
  ];
  const taken = await cli(['inspect', ...words, '--accept-new-host-key']);
  t.regex(taken.stderr, /^p2c: .*SHA256:/m);
  t.is(typeof JSON.parse(taken.stdout).verdict.answer, 'string');
  await server.exec(`mv /usr/bin/dpkg-query /usr/bin/dpkg-query.away
    printf '#!/bin/sh\nsleep 25; echo late\n' >/usr/bin/dpkg-query; chmod +x /usr/bin/dpkg-query`);
  const p2c = startCli(['inspect', ...words.filter((word) => word !== '--json')]);
  await p2c.saw(/Look at the server\.\.\./);
  await server.exec('until pgrep -x dpkg-query; do sleep 0.1; done');
  const began = performance.now();
  p2c.child.kill('SIGINT');
  const { code, stdout, stderr } = await p2c.ended;
  t.is(code, 130, stderr);
  t.true(performance.now() - began < 15_000);
  t.regex(stderr, /p2c: interrupted by SIGINT$/m);
  t.is(stdout, '');
});

test('a server with systemd: services, timers and units of processes', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'inspect-systemd', { systemd: true });
  const { facts, verdict } = await inspected(t, connection(server));
  t.is(facts.init.value.kind, 'systemd');
  t.is(facts.init.value.version, (await server.exec('systemctl --version')).split(' ')[1]);
  t.is(facts.runlevel.value.boot, (await server.exec('systemctl get-default')).trim());
  t.deepEqual(
    told(facts.services.value.filter((each: Json) => each.atBoot).map(({ name }: Json) => name)),
    await truth(
      server,
      'systemctl list-unit-files --type=service --state=enabled --no-legend | awk \'!/@\\.service/ { sub(/\\.service/, "", $1); print $1 }\'',
    ),
  );
  t.deepEqual(
    told(facts.services.value.filter((each: Json) => each.running).map(({ name }: Json) => name)),
    (
      await truth(
        server,
        'systemctl list-units --type=service --state=running --no-legend --plain | awk \'{ sub(/\\.service$/, "", $1); print $1 }\'',
      )
    ).filter((name) => !name.startsWith('user@')),
  );
  t.deepEqual(
    told(facts.schedule.value.filter(({ from }: Json) => from === 'systemd').map(({ when }: Json) => when)),
    await truth(
      server,
      "systemctl list-unit-files --type=timer --no-legend | awk '$2 ~ /enabled|static/ { print $1 }'",
    ),
  );
  t.is(facts.processes.value.find(({ name }: Json) => name === 'nginx').unit, 'nginx');
  t.is(facts.processes.value.find(({ pid }: Json) => pid === 1).package, 'systemd');
  t.not(verdict.answer, 'will not');
});

test('a busybox server: from /proc alone, and what it lacks is said', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['busybox', 'dropbear', 'dropbearkey', 'unshare', 'nsenter', 'mkfs.ext4']))
    return;
  const server = await startBusyboxServer(t);
  await server.exec("mkdir -p /etc/crontabs && echo '*/7 * * * * /bin/report' >/etc/crontabs/root");
  const { facts, verdict } = await inspected(t, connectionTo(server), 4);
  t.is(facts.release.name, 'Small Linux 1');
  t.is(facts.machine, (await server.exec('uname -m')).trim());
  t.deepEqual(facts.packages, { unknown: 'it has no package manager that p2c knows' });
  t.deepEqual(facts.schedule.value, [{ from: '/etc/crontabs/root', when: '*/7 * * * *', what: '/bin/report' }]);
  const listener = facts.listeners.value.find(({ port }: Json) => port === server.port);
  t.is(listener.address, '127.0.0.1');
  t.is(listener.owners[0].name, 'dropbear');
  const dropbear = facts.processes.value.find(({ pid }: Json) => pid === listener.owners[0].pid);
  t.is(dropbear.exe, '/sbin/dropbear');
  t.is(dropbear.args, (await server.exec(`tr '\\0' ' ' </proc/${dropbear.pid}/cmdline`)).trim());
  t.is(facts.volumes[0].mountPoint, '/');
  t.is(facts.volumes[0].size.value.bytes, 1024 * Number((await server.exec('df -P -k / | sed 1d')).split(/\s+/)[1]));
  t.true(verdict.findings.some(({ id, level }: Json) => id === 'tar' && level === 'blocks'));
});

function connectionTo({ port, identity, knownHosts }: BusyboxServer): string[] {
  return [`root@127.0.0.1:${port}`, '--identity', identity, '--known-hosts', knownHosts, '-F', 'none'];
}
