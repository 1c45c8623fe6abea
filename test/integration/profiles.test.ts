/** The shipped profiles, each against the program itself: found, stopped, seen down, started, seen up and healthy. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { listProfiles } from '../../src/profiles/load.ts';
import { cli, type Ended } from '../helpers/cli.ts';
import { EVERYTHING } from '../helpers/everything.ts';
import { eventually } from '../helpers/fake-application.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

const Tested = z.object({
  recognised: z.array(z.object({ name: z.string(), running: z.boolean(), found: z.array(z.string()) })),
  applications: z.array(
    z.object({
      name: z.string(),
      downMs: z.number().positive(),
      health: z.array(z.object({ check: z.string(), before: z.string(), after: z.string(), says: z.string() })),
    }),
  ),
  leftAlone: z.array(z.string()),
  differences: z.array(z.object({ kind: z.string(), name: z.string(), change: z.string() })),
  steps: z.array(z.object({ purpose: z.string(), code: z.number().nullable() })),
});

function testProfiles(server: LabServer, ...more: string[]): Promise<Ended> {
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  return cli(['profiles', 'test', `root@${server.address}`, ...access, ...more]);
}

function tested(t: ExecutionContext, ended: Ended): z.infer<typeof Tested> {
  t.is(ended.code, 0, ended.stderr);
  return Tested.parse(JSON.parse(ended.stdout));
}

/** The programs of a profile that run on the server, by their numbers. */
async function pidsOf(server: LabServer, names: readonly string[]): Promise<string> {
  return (await server.exec(`for name in ${names.join(' ')}; do pgrep -x "$name" || true; done`)).trim();
}

test('all that Debian has: recognised, stopped in the order of their dependencies, and healthy again', async (t) => {
  if (!requireRoot(t)) return;
  // The first time, a base is made of all these packages.
  t.timeout(30 * 60_000);
  const server = await labServer(t, 'profiles', { packages: EVERYTHING });
  await eventually(t, 'tomcat is up', async () => (await server.exec('ss -ltn')).includes(':8080'));
  await eventually(t, 'mariadb is up', async () => (await server.exec('ss -ltn')).includes(':3306'));
  const names = [
    'named',
    'cron',
    'nginx',
    'apache2',
    'php-fpm8.2',
    'master',
    'java',
    'mariadbd',
    'postgres',
    'redis-server',
  ];
  const before = await pidsOf(server, names);

  const report = tested(t, await testProfiles(server, '--json'));
  const expected = [
    'apache-httpd',
    'bind',
    'cron',
    'mysql',
    'nginx',
    'php-fpm',
    'postfix',
    'postgresql',
    'redis',
    'tomcat',
  ];
  t.deepEqual(
    report.recognised.filter(({ running }) => running).map(({ name }) => name),
    expected,
  );
  t.deepEqual(report.applications.map(({ name }) => name).sort(), expected);
  t.true(report.steps.every(({ code }) => code === 0));
  t.deepEqual(
    report.differences.filter(({ change }) => change === 'gone'),
    [],
  );
  for (const { name, health } of report.applications) {
    const checks = listProfiles().find((profile) => profile.name === name)?.health.length;
    t.is(health.length, checks ?? -1, name);
    t.true(
      health.every((check) => check.before === 'healthy' && check.after === 'healthy'),
      name,
    );
  }
  const stopped = report.steps
    .filter(({ purpose }) => purpose.startsWith('stop'))
    .map(({ purpose }) => purpose.split(/[ :]/)[1]);
  t.true(stopped.indexOf('nginx') < stopped.indexOf('tomcat'));
  t.true(stopped.indexOf('tomcat') < stopped.indexOf('mysql'));
  t.deepEqual(
    report.applications.map(({ name }) => name),
    [...stopped].reverse(),
  );
  // Each has other processes than before: it was down.
  const old = new Set(before.split('\n'));
  for (const name of names) {
    const now = (await pidsOf(server, [name])).split('\n');
    t.true(now[0] !== '' && now.every((pid) => !old.has(pid)), name);
  }

  // One that is not well afterwards, though it is up, is told with its own exit code.
  await server.exec(
    "sed -i 's/Listen 8081/Listen 8081\\nListen 8082/' /etc/apache2/ports.conf && service apache2 restart",
  );
  const profile = `name: web
stop: [{ run: "sed -i '/8082/d' /etc/apache2/ports.conf; service apache2 stop", down: { process: apache2 } }]
start: [{ service: apache2, up: { process: apache2 } }]
health: [{ tcp: 8082, timeout: 1s }, { http: 'http://127.0.0.1:8081/', timeout: 30s }]
`;
  const file = `/tmp/${server.name}.yaml`;
  await run('sh', ['-c', 'printf %s "$1" >"$2"', 'sh', profile, file]);
  t.teardown(() => run('rm', ['-f', file]));
  const sick = await testProfiles(server, '--profile', file);
  t.is(sick.code, 4, sick.stderr);
  t.regex(
    sick.stdout,
    /Healthy +1 of 2 checks.*\n +web, tcp 8082: healthy before, sick after \(nobody listens on port 8082\)/,
  );
  t.regex(sick.stdout, /listener tcp (0\.0\.0\.0|\[::\]):8082 is gone/);

  // The generic profile for System V, and one that is not there.
  const generic = tested(t, await testProfiles(server, '--json', '--profile', 'generic-sysv:redis-server'));
  t.deepEqual(
    generic.steps.map(({ purpose, code }) => [purpose, code]),
    [
      ['stop generic-sysv:redis-server: /etc/init.d/redis-server stop', 0],
      ['start generic-sysv:redis-server: /etc/init.d/redis-server start', 0],
    ],
  );
  const absent = await testProfiles(server, '--profile', 'redis', '--profile', 'generic-sysv:redis-sever');
  t.is(absent.code, 2, absent.stderr);
  t.regex(absent.stderr, /has no System V service 'redis-sever' \(did you mean 'redis-server'\?\)/);
  t.notRegex(absent.stderr, /stop redis/);
});

/** Every key of a profile that is about the image, and one that another profile brings. */
const WISHES = `name: shop
requires: nginx
env: { SHOP_MODE: old, PORTS: 3 }
ports: [8080, 53/udp]
volumes: [/srv/shop, { path: /data, capture: image }]
command: [/bin/sh, -c, 'echo "$SHOP_MODE"']
limits: { nofile: '700:800', shm: 48m, memory: 256m, cpus: 0.5 }
exclude: [{ path: /usr/**, reason: not tried here }, /var/**, /opt/**, /etc/**]
include: [/etc/passwd]
`;

test('what a profile says of the image is in the image', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'profiles-image');
  const folder = await temporaryFolder(t);
  const env = { P2C_ROOT: join(folder, 'store') };
  const file = join(folder, 'shop.yaml');
  await writeFile(file, WISHES);
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const target = ['migrate', `root@${server.address}`, ...access, '--tag', 'shop:1', '--no-adapt'];
  const migrated = await cli([...target, '--profile', file, '--exclude', '/data/**', '--json'], env);
  t.is(migrated.code, 0, migrated.stderr);
  t.deepEqual(
    JSON.parse(migrated.stdout).stopped.applications.map(({ name }: { name: string }) => name),
    ['nginx'],
  );
  const config = JSON.parse((await cli(['image', 'inspect', 'shop:1'], env)).stdout)[0].Config;
  t.true(config.Env.includes('SHOP_MODE=old') && config.Env.includes('PORTS=3'));
  t.deepEqual(Object.keys(config.ExposedPorts).sort(), ['443/tcp', '53/udp', '80/tcp', '8080/tcp']);
  t.true(Object.keys(config.Volumes).includes('/srv/shop') && Object.keys(config.Volumes).includes('/data'));
  t.deepEqual(config.Cmd, ['/bin/sh', '-c', 'echo "$SHOP_MODE"']);
  t.like(config.Labels, {
    'io.p2c.profiles': 'shop,nginx',
    'io.p2c.run.memory': '268435456',
    'io.p2c.run.shm-size': '50331648',
    'io.p2c.run.cpus': '0.5',
    'io.p2c.run.ulimits': 'nofile=700:800',
  });
  const receipt = (await cli(['image', 'receipt', 'shop:1', '--path', '/etc/passwd'], env)).stdout;
  t.regex(receipt, /captured/);
});

test('systemd: nginx and cron by their units, and any unit by the generic profile', async (t) => {
  if (!requireRoot(t)) return;
  // The first time, a base is made of all these packages.
  t.timeout(30 * 60_000);
  const server = await labServer(t, 'profiles-systemd', { systemd: true });
  const before = await pidsOf(server, ['nginx', 'cron']);
  const report = tested(t, await testProfiles(server, '--json'));
  t.deepEqual(report.applications.map(({ name }) => name).sort(), ['cron', 'nginx']);
  t.deepEqual(
    report.differences.filter(({ change }) => change === 'gone'),
    [],
  );
  t.not(await pidsOf(server, ['nginx', 'cron']), before);
  const absent = await testProfiles(server, '--profile', 'generic-systemd:nginx.service');
  t.is(absent.code, 2, absent.stderr);
  t.regex(absent.stderr, /has no service of systemd 'nginx.service' \(did you mean 'nginx'\?\)/);
  const generic = tested(t, await testProfiles(server, '--json', '--profile', 'generic-systemd:nginx'));
  t.deepEqual(
    generic.steps.map(({ code }) => code),
    [0, 0],
  );
  t.is((await server.exec('systemctl is-active nginx cron')).trim(), 'active\nactive');
});
