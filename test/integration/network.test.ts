/** Networks on the real kernel, by the real plugins: who reaches whom, by which name, and that nothing of it stays. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { runFolder } from '../../src/runtime/network/run-folder.ts';
import { requirePlugins, requirePrograms, requireRoot } from '../helpers/require.ts';
import { pidsOf, type Runner, runner } from '../helpers/runner.ts';

/** Each test has a subnet of its own, so that they may run at once: TEST-NET-like parts of 10.91. */
let subnets = 0;

const HTTPD = ['httpd', '-f', '-h', '/var/www'];

function ready(t: ExecutionContext): boolean {
  return requirePlugins(t) && requireRoot(t) && requirePrograms(t, ['busybox', 'iptables-save', 'ip', 'unshare']);
}

/** What networks have on this machine, as far as it names the store's. */
interface Machine {
  readonly interfaces: readonly string[];
  readonly rules: readonly string[];
  readonly files: readonly string[];
  readonly mounts: readonly string[];
}

async function started(t: ExecutionContext): Promise<{ p2c: Runner; subnet: string; machine: () => Machine }> {
  const p2c = await runner(t);
  subnets += 1;
  const subnet = `10.91.${subnets}`;
  const folder = runFolder(p2c.store.root);
  const machine = (): Machine => ({
    interfaces: readdirSync('/sys/class/net').filter((name) => hasAddressIn(name, subnet)),
    rules: execFileSync('iptables-save', { encoding: 'utf8' })
      .split('\n')
      .filter((rule) => rule.includes(`${subnet}.`)),
    files: Object.values(folder).flatMap((path) => filesBelow(path)),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(folder.namespaces)),
  });
  return { p2c, subnet, machine };
}

const NOTHING: Machine = { interfaces: [], rules: [], files: [], mounts: [] };

function hasAddressIn(name: string, subnet: string): boolean {
  return (networkInterfaces()[name] ?? []).some(({ address }) => address.startsWith(`${subnet}.`));
}

/** Leases, namespaces and notes; the lock and the last address of each network are no leases. */
function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return names.map(({ name }) => name).filter((name) => name !== 'lock' && !name.startsWith('last_reserved_ip'));
}

function machineAddress(): string {
  const all = Object.entries(networkInterfaces()).filter(([name]) => name !== 'lo' && !name.startsWith('p2c'));
  const found = all.flatMap(([, list]) => list ?? []).find(({ family, internal }) => family === 'IPv4' && !internal);
  return found?.address ?? '127.0.0.1';
}

async function page(url: string): Promise<string> {
  return (await fetch(url, { signal: AbortSignal.timeout(20_000) })).text();
}

/** Of a server that was just started: it may not listen yet. */
async function servedPage(url: string): Promise<string> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const text = await page(url).catch(() => undefined);
    if (text !== undefined) return text;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return page(url);
}

test('containers of a network talk by name, and nothing stays of them', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet, machine } = await started(t);
  t.is(await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web'), 'web');
  await p2c.ok('run', '-d', '--name', 'shop', '-h', 'shop_01.example', '--network', 'web', 'test:latest', ...HTTPD);
  await p2c.ok(
    'run',
    '-d',
    '--name',
    'till',
    '--network',
    'web',
    '--ip',
    `${subnet}.77`,
    'test:latest',
    'sleep',
    '1000',
  );
  t.is(await p2c.ok('exec', 'till', 'wget', '-qO-', 'http://shop/'), 'the page');
  t.is(await p2c.ok('exec', 'till', 'wget', '-qO-', 'http://shop_01.example/'), 'the page');
  t.regex(await p2c.ok('exec', 'till', 'ip', '-4', 'addr', 'show', 'eth0'), new RegExp(`${subnet}\\.77/24`));
  t.regex(await p2c.ok('exec', 'shop', 'cat', '/etc/hosts'), new RegExp(`^${subnet}\\.77\t\\S* ?till$`, 'm'));
  t.regex(await p2c.ok('exec', 'till', 'ip', 'route'), new RegExp(`^default via ${subnet}\\.1 `, 'm'));
  const clash = await p2c.call('run', '--rm', '--network', 'web', '--ip', `${subnet}.77`, 'test:latest', 'true');
  t.is(clash.code, 125);
  t.regex(clash.stderr, new RegExp(`${subnet}\\.77 of the network 'web' is taken: the container 'till' has it`));
  // It wrote into the file itself; that stays, and so does the file: it is written in place.
  await p2c.ok('exec', 'shop', 'sh', '-c', 'echo 192.0.2.9 own >>/etc/hosts');
  t.is((await p2c.call('network', 'rm', 'web')).code, 2);
  await p2c.ok('rm', '-f', 'till');
  const hosts = await p2c.ok('exec', 'shop', 'cat', '/etc/hosts');
  t.notRegex(hosts, /till/);
  t.regex(hosts, /192\.0\.2\.9 own/);
  t.is(await p2c.ok('network', 'rm', '-f', 'web'), 'web');
  t.deepEqual(machine(), NOTHING);
  t.is(await p2c.ok('ps', '-aq'), '');
});

test('published ports are reached at the machine’s addresses, and are free again afterwards', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet, machine } = await started(t);
  await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web');
  await p2c.ok(
    'run',
    '-d',
    '--name',
    'a',
    '--network',
    'web',
    '-p',
    '80',
    '--expose',
    '8080',
    '-P',
    'test:latest',
    ...HTTPD,
  );
  const published = await publishedPorts(p2c);
  t.deepEqual(
    published.map(({ containerPort }) => containerPort),
    [80, 8080],
  );
  const port = published[0]?.hostPort ?? 0;
  t.is(await p2c.ok('port', 'a', '80'), `0.0.0.0:${port}`);
  t.regex(await p2c.ok('ps'), new RegExp(`0\\.0\\.0\\.0:${port}->80/tcp, .* a$`, 'm'));
  t.is(await servedPage(`http://${machineAddress()}:${port}/`), 'the page\n');
  t.is(await servedPage(`http://127.0.0.1:${port}/`), 'the page\n');
  const taken = await p2c.call('run', '--rm', '--network', 'web', '-p', `${port}:80`, 'test:latest', 'true');
  t.is(taken.code, 125);
  t.regex(taken.stderr, new RegExp(`port ${port}/tcp cannot be published`));
  await p2c.ok('stop', '-t', '0', 'a');
  t.deepEqual(machine(), NOTHING);
  // Another test may have got the port meanwhile.
  t.not(await page(`http://127.0.0.1:${port}/`).catch(() => 'none'), 'the page\n');
});

const listed = z.array(z.object({ ports: z.array(z.object({ containerPort: z.int(), hostPort: z.int() })) }));

async function publishedPorts(p2c: Runner): Promise<{ containerPort: number; hostPort: number }[]> {
  return listed.parse(JSON.parse(await p2c.ok('ps', '--json'))).flatMap(({ ports }) => ports);
}

test('an isolated network has no way out, an internal one leads to this machine', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet, machine } = await started(t);
  await p2c.ok('network', 'create', '--isolated', '--subnet', `${subnet}.0/25`, 'island');
  await p2c.ok('network', 'create', '--internal', '--subnet', `${subnet}.128/25`, 'inner');
  const run = (name: string, network: string, ...command: string[]): Promise<string> =>
    p2c.ok('run', '-d', '--privileged', '--name', name, '--network', network, 'test:latest', ...command);
  await Promise.all([
    run('i1', 'island', ...HTTPD),
    run('i2', 'island', 'sleep', '1000'),
    run('n1', 'inner', 'sleep', '1000'),
  ]);
  t.is(await p2c.ok('exec', 'i2', 'wget', '-qO-', 'http://i1/'), 'the page');
  const ping = async (name: string, address: string): Promise<number> =>
    (await p2c.call('exec', name, 'ping', '-c', '1', '-W', '3', address)).code;
  t.regex(await p2c.ok('exec', 'i2', 'ip', 'route'), new RegExp(`^${subnet}\\.0/25 dev eth0 [^\\n]*$`));
  t.not(await ping('i2', machineAddress()), 0);
  // Also for one that may make a route of its own.
  await p2c.call('exec', 'i2', 'ip', 'route', 'add', 'default', 'via', `${subnet}.1`);
  t.not(await ping('i2', machineAddress()), 0);
  t.is(await ping('n1', `${subnet}.129`), 0);
  await p2c.ok('exec', 'n1', 'ip', 'route', 'add', 'default', 'via', `${subnet}.129`);
  t.is(await ping('n1', machineAddress()), 0);
  t.is(
    readFileSync(`/proc/sys/net/ipv4/conf/${bridgeOf(await p2c.ok('network', 'inspect', 'inner'))}/forwarding`, 'utf8'),
    '0\n',
  );
  const refused = await p2c.call('run', '--rm', '--network', 'island', '-p', '80', 'test:latest', 'true');
  t.is(refused.code, 125);
  t.regex(refused.stderr, /isolated/);
  await p2c.ok('rm', '-f', 'i1', 'i2', 'n1');
  t.deepEqual(machine(), NOTHING);
});

const inspected = z.array(z.object({ network_interface: z.string() }));

function bridgeOf(text: string): string {
  return inspected.parse(JSON.parse(text))[0]?.network_interface ?? '';
}

test('a network on a bridge that is there leaves the bridge as it is', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet } = await started(t);
  const bridge = `p2ct-${process.pid}`;
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
  ip('link', 'add', bridge, 'type', 'bridge');
  t.teardown(() => ip('link', 'delete', bridge));
  ip('addr', 'add', `${subnet}.9/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  const before = ip('-4', 'addr', 'show', bridge).replace(/NO-CARRIER,|,LOWER_UP|state \w+/g, '');
  await p2c.ok(
    ...['network', 'create', '-d', 'bridge', '--interface-name', bridge, '--subnet', `${subnet}.0/24`],
    ...['--ip-range', `${subnet}.64/26`, '--gateway', `${subnet}.1`, 'my_br0'],
  );
  t.like(JSON.parse(await p2c.ok('network', 'inspect', 'my_br0'))[0], {
    name: 'my_br0',
    driver: 'bridge',
    network_interface: bridge,
    subnets: [
      {
        subnet: `${subnet}.0/24`,
        gateway: `${subnet}.1`,
        lease_range: { start_ip: `${subnet}.64`, end_ip: `${subnet}.127` },
      },
    ],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: true,
    ipam_options: { driver: 'host-local' },
  });
  // The line of the document that p2c grew from; the image has no bash.
  const seed = ['--ulimit', 'memlock=-1', '--shm-size=1g', '--rm', '-ti', '--name', 'was60', '--ip', `${subnet}.2`];
  await p2c.ok(
    'run',
    '-d',
    ...seed,
    '--network',
    'my_br0',
    '-P',
    '--privileged',
    '-h',
    'was60',
    'test:latest',
    '/bin/sh',
  );
  t.is(await p2c.ok('exec', 'was60', 'hostname', '-i'), `${subnet}.2 `.trim());
  t.regex(await p2c.ok('exec', 'was60', 'ip', 'route'), new RegExp(`^default via ${subnet}\\.1 `, 'm'));
  t.is(await p2c.ok('exec', 'was60', 'ping', '-c', '1', '-q', `${subnet}.9`).then(() => 'reached'), 'reached');
  await p2c.ok('run', '-d', '--name', 'other', '--network', 'my_br0', 'test:latest', 'sleep', '1000');
  t.regex(
    await p2c.ok('exec', 'other', 'hostname', '-i'),
    new RegExp(`^${subnet}\\.(?:6[4-9]|[789]\\d|1[01]\\d|12[0-7])`),
  );
  await p2c.ok('rm', '-f', 'was60', 'other');
  await p2c.ok('network', 'rm', 'my_br0');
  t.is(ip('-4', 'addr', 'show', bridge).replace(/NO-CARRIER,|,LOWER_UP|state \w+/g, ''), before);
});

test('a port or an address alone puts a container on the default network, which is made for it', async (t) => {
  if (!ready(t)) return;
  const { p2c } = await started(t);
  await p2c.ok('run', '-d', '--name', 'a', '-p', '80', 'test:latest', ...HTTPD);
  const port = (await publishedPorts(p2c))[0]?.hostPort ?? 0;
  t.is(await servedPage(`http://127.0.0.1:${port}/`), 'the page\n');
  t.is(await p2c.ok('run', '--rm', '--network', 'bridge', 'test:latest', 'wget', '-qO-', 'http://a/'), 'the page');
  t.is(await p2c.ok('network', 'ls', '-q'), 'p2c');
  const bridge = bridgeOf(await p2c.ok('network', 'inspect', 'p2c'));
  t.true(existsSync(`/sys/class/net/${bridge}`));
  await p2c.ok('rm', '-f', 'a');
  t.false(existsSync(`/sys/class/net/${bridge}`));
});

test('an address has one holder, which a stopped container is not', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet, machine } = await started(t);
  await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web');
  const at = (last: number, ...words: string[]): string[] => [
    ...['--network', 'web', '--ip', `${subnet}.${last}`],
    ...[...words, 'test:latest', 'sleep', '1000'],
  ];
  const refused = async (last: number, why: RegExp): Promise<void> => {
    const { code, stderr } = await p2c.call('run', '-d', ...at(last, '--name', 'late'));
    t.is(code, 125);
    t.regex(stderr, why);
    t.notRegex(await p2c.ok('ps', '-a', '--format', '{{.Names}}'), /late/);
  };
  await p2c.ok('run', '-d', ...at(10, '--name', 'a'));
  await refused(10, /the container 'a' has it/);
  // Also one that asked for no address.
  await p2c.ok('run', '-d', '--name', 'any', '--network', 'web', 'test:latest', 'sleep', '1000');
  const given = /\.(\d+)$/.exec(await p2c.ok('exec', 'any', 'hostname', '-i'))?.[1];
  await refused(Number(given), /the container 'any' has it/);
  await p2c.ok('create', ...at(20, '--name', 'made'));
  await refused(20, /the container 'made', not started yet, asks for it/);
  // Where the first is stopped the second has it, and the first waits.
  await p2c.ok('stop', '-t', '0', 'a');
  await p2c.ok('run', '-d', ...at(10, '--name', 'b'));
  const late = await p2c.call('start', 'a');
  t.not(late.code, 0);
  t.regex(late.stderr, /the container 'b' has it/);
  // What a p2c that was killed left is nobody's.
  await p2c.ok('rm', '-f', 'any', 'made', 'a');
  const { monitor, init } = await pidsOf(p2c);
  process.kill(monitor, 'SIGKILL');
  process.kill(init, 'SIGKILL');
  await p2c.ok('wait', 'b').catch(() => {});
  await p2c.ok('run', '-d', ...at(10, '--name', 'heir'));
  t.is(await p2c.ok('exec', 'heir', 'hostname', '-i'), `${subnet}.10`);
  await p2c.ok('rm', '-f', 'b', 'heir');
  t.deepEqual(machine(), NOTHING);
});

test('a name that is taken, and a run that is refused, make no network', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet } = await started(t);
  const early = await p2c.call('run', '--ip', '192.0.2.1', 'test:latest', 'true');
  t.is(early.code, 125);
  t.is(await p2c.ok('network', 'ls', '-q'), '');
  await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web');
  const again = await p2c.call('network', 'create', 'web');
  t.is(again.code, 2);
  t.regex(again.stderr, /there is a network 'web' already.*\n.*p2c network rm web/);
  const bridge = bridgeOf(await p2c.ok('network', 'inspect', 'web'));
  const other = await p2c.call('network', 'create', '--interface-name', bridge, 'other');
  t.is(other.code, 2);
  t.regex(other.stderr, /is that of the network 'web'\W/);
  t.is(await p2c.ok('network', 'ls', '-q'), 'web');
});

test('a macvlan network lies on an interface of this machine', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet, machine } = await started(t);
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
  const [master, peer] = [`p2cm-${process.pid}`, `p2cn-${process.pid}`];
  ip('link', 'add', master, 'type', 'veth', 'peer', 'name', peer);
  for (const name of [master, peer]) ip('link', 'set', name, 'up');
  await p2c.ok('network', 'create', '-d', 'macvlan', '--interface-name', master, '--subnet', `${subnet}.0/24`, 'lan');
  await p2c.ok('run', '-d', '--name', 'a', '--network', 'lan', 'test:latest', ...HTTPD);
  t.is(await p2c.ok('run', '--rm', '--network', 'lan', 'test:latest', 'wget', '-qO-', 'http://a/'), 'the page');
  const refused = await p2c.call('run', '--rm', '--network', 'lan', '-p', '80', 'test:latest', 'true');
  t.regex(refused.stderr, /no port can be published/);
  // Also where that interface is gone.
  ip('link', 'delete', master);
  await p2c.ok('rm', '-f', 'a');
  t.deepEqual(machine(), NOTHING);
});

test('a container shares another’s network', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet } = await started(t);
  await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web');
  await p2c.ok('run', '-d', '--name', 'first', '--network', 'web', 'test:latest', ...HTTPD);
  const shared = ['--rm', '--network', 'container:first', 'test:latest', 'wget', '-qO-', 'http://127.0.0.1/'];
  t.is(await p2c.ok('run', ...shared), 'the page');
  await p2c.ok('run', '-d', '--name', 'second', '--network', 'container:first', 'test:latest', 'sleep', '1000');
  await p2c.ok('stop', '-t', '0', 'first');
  const refused = await p2c.call('rm', 'first');
  t.is(refused.code, 2);
  t.regex(refused.stderr, /the network of the container 'first' is also that of second/);
  const late = await p2c.call('run', ...shared);
  t.is(late.code, 125);
  t.regex(late.stderr, /'first', whose network .* is not running/);
  await p2c.ok('stop', '-t', '0', 'second');
  t.is(await p2c.ok('rm', 'first', 'second'), 'second\nfirst');
  await p2c.ok('run', '-d', '--name', 'first', '--network', 'web', 'test:latest', ...HTTPD);
  await p2c.ok('create', '--name', 'second', '--network', 'container:first', 'test:latest', 'true');
  t.is(await p2c.ok('rm', '-f', 'first'), 'first');
  await p2c.ok('rm', 'second');
});

test('nothing stays of a container on a network whose monitor was killed', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet, machine } = await started(t);
  await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web');
  await p2c.ok('run', '-d', '--name', 'c', '--network', 'web', '-p', '80', 'test:latest', ...HTTPD);
  const { monitor } = await pidsOf(p2c);
  process.kill(monitor, 'SIGKILL');
  t.not(machine().interfaces.length, 0);
  await p2c.ok('rm', '-f', 'c');
  t.deepEqual(machine(), NOTHING);
});

test('name servers, search domains and hosts are those that were asked for', async (t) => {
  if (!ready(t)) return;
  const { p2c, subnet } = await started(t);
  await p2c.ok('network', 'create', '--subnet', `${subnet}.0/24`, 'web');
  const said = await p2c.ok(
    ...[
      'run',
      '--rm',
      '--network',
      'web',
      '--dns',
      '192.0.2.53',
      '--dns-search',
      'old.example',
      '--add-host',
      'db:192.0.2.7',
    ],
    ...[
      '--mac-address',
      '02:00:5e:10:00:01',
      'test:latest',
      'sh',
      '-c',
      'cat /etc/resolv.conf /etc/hosts /sys/class/net/eth0/address',
    ],
  );
  t.regex(said, /^search old.example$/m);
  t.regex(said, /^nameserver 192.0.2.53$/m);
  t.regex(said, /^192.0.2.7\tdb$/m);
  t.regex(said, /^02:00:5e:10:00:01$/m);
});

test('networks that cannot be are refused in words', async (t) => {
  if (!ready(t)) return;
  const { p2c } = await started(t);
  for (const [words, reason] of [
    [['--subnet', '10.91.200.0/33', 'x'], /no subnet/],
    [['--subnet', '127.0.0.0/8', 'x'], /overlaps .*interface lo/],
    [['--gateway', '10.0.0.1', 'x'], /none is given/],
    [['--subnet', '10.91.200.0/24', '--gateway', '10.91.201.1', 'x'], /no address in/],
    [['--subnet', '10.91.200.0/24', '--ip-range', '10.91.0.0/16', 'x'], /no part of/],
    [['--interface-name', 'lo', 'x'], /is no bridge/],
    [['--interface-name', 'a/b', 'x'], /no name for an interface/],
    [['-d', 'macvlan', 'x'], /lies on an interface/],
    [['--isolated', '--interface-name', 'br0', 'x'], /isolated/],
    [['--internal', '--isolated', 'x'], /--internal.*--isolated/],
    [['host'], /meaning of its own/],
    [['../x'], /no name for a network/],
    [[], /one name/],
  ] as const) {
    const { code, stderr } = await p2c.call('network', 'create', ...words);
    t.is(code, 2, `${words.join(' ')}: ${stderr}`);
    t.regex(stderr, reason);
  }
  t.is(await p2c.ok('network', 'ls', '-q'), '');
  for (const words of [['nosuch'], ['none', '--network', 'host'], ['container:nosuch']]) {
    t.is((await p2c.call('run', '--network', ...words, 'test:latest', 'true')).code, 125, words.join(' '));
  }
  for (const words of [
    ['--ip', 'x'],
    ['-p', 'x'],
    ['--dns', 'x'],
    ['--add-host', 'x'],
    ['--mac-address', '01:00:00:00:00:00'],
  ]) {
    t.is((await p2c.call('run', ...words, 'test:latest', 'true')).code, 125, words.join(' '));
  }
});
