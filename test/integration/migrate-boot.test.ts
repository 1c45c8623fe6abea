/** `p2c migrate --boot`: layers are unpacked while others arrive; the clone is booted in quarantine and looked into. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { runFolder } from '../../src/runtime/network/run-folder.ts';
import { cli, type Ended, type Running, startCli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** A machine with much to do boots slowly. */
const PATIENCE = 180_000;
const LOOKS_FOR_EVER = 'name: marked\nhealth:\n  - command: test -e /srv/mark\n    timeout: 1h\n';

const bootSchema = z.object({
  outcome: z.string(),
  container: z
    .object({ id: z.string(), name: z.string(), init: z.string(), networks: z.array(z.string()), heldBack: z.string() })
    .nullable(),
  layers: z.number(),
  unpackedEarly: z.number(),
  startedAfterMs: z.number().nullable(),
  health: z.array(z.object({ check: z.string(), before: z.string(), after: z.string() })),
  ports: z.array(z.object({ port: z.number(), state: z.string() })),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
const reportSchema = z.object({ boot: bootSchema });
const eventSchema = z.object({ event: z.string(), time: z.string(), stage: z.string().optional() });

let shared: LabServer | undefined;

test.before(async () => {
  if (process.getuid?.() === 0) shared = await startLabServer('migrate-boot');
});
test.after.always(() => shared?.[Symbol.asyncDispose]());

interface Bench {
  readonly server: LabServer;
  readonly root: string;
  /** How p2c is told of the server. */
  readonly access: readonly string[];
  call(...args: readonly string[]): Promise<Ended>;
  start(...args: readonly string[]): Running;
  /** Fails the test where the exit code is not 0. */
  ok(...args: readonly string[]): Promise<string>;
}

/** A store of the test's own. */
async function bench(t: ExecutionContext): Promise<Bench | undefined> {
  if (!requireRoot(t) || shared === undefined) return undefined;
  const root = join(await temporaryFolder(t), 'store');
  const env = { P2C_ROOT: root };
  t.teardown(async () => {
    await cli(['rm', '-f', '-a'], env);
    rmSync(dirname(runFolder(root).leases), { recursive: true, force: true });
  });
  const access = ['--identity', shared.identity, '--known-hosts', shared.knownHosts];
  const call = (...args: readonly string[]): Promise<Ended> => cli(args, env);
  const ok = async (...args: readonly string[]): Promise<string> => {
    const ended = await call(...args);
    t.is(ended.code, 0, `p2c ${args.join(' ')}: ${ended.stderr}${ended.stdout}`);
    return ended.stdout;
  };
  return { server: shared, root, access, call, start: (...args) => startCli(args, env), ok };
}

function journal(root: string): z.output<typeof eventSchema>[] {
  const [run = ''] = readdirSync(join(root, 'runs'));
  const lines = readFileSync(join(root, 'runs', run, 'journal.ndjson'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => eventSchema.parse(JSON.parse(line)));
}

async function containers({ ok }: Bench): Promise<{ id: string; name: string; status: string }[]> {
  const schema = z.array(z.object({ id: z.string(), name: z.string(), status: z.string() }));
  return schema.parse(JSON.parse(await ok('ps', '-a', '--json')));
}

/** Until a container runs that has this name. */
async function running(t: ExecutionContext, made: Bench, name: string): Promise<string> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await setTimeout(200)) {
    const found = existsSync(join(made.root, 'containers')) ? await containers(made) : [];
    const one = found.find((each) => each.name === name && each.status === 'running');
    if (one !== undefined) return one.id;
  }
  return t.fail(`no container ${name} runs`) ? '' : '';
}

const PAGE = `exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n' >&3; cat <&3`;

test.serial('a server is booted of what was unpacked while it arrived, and does what it did', async (t) => {
  const made = await bench(t);
  if (made === undefined) return;
  const { server, root, access, call, ok } = made;
  const target = [`root@${server.address}`, ...access, '--part-size', '16m'];
  // Which no domain name allows, and the kernel does.
  await server.exec('echo web_01 >/proc/sys/kernel/hostname');
  const migrated = await ok('migrate', ...target, '--profile', 'nginx', '--tag', 'shop/web:1', '--boot', '--json');
  const { boot } = reportSchema.parse(JSON.parse(migrated));
  t.is(boot.outcome, 'booted');
  t.is(boot.container?.name, 'shop-web-1');
  t.is(boot.container?.init, 'system');
  t.deepEqual(boot.container?.networks, ['quarantine']);
  t.is(boot.container?.heldBack, 'cron');
  t.deepEqual(
    boot.health.map(({ before, after }) => [before, after]),
    [['healthy', 'healthy']],
  );
  t.deepEqual(boot.ports, [
    { port: 22, state: 'listens' },
    { port: 80, state: 'listens' },
  ]);
  t.true((boot.startedAfterMs ?? 0) > 0);
  // The first layers were there before the image was.
  const events = journal(root);
  const at = (fits: (event: (typeof events)[number]) => boolean): number => events.findIndex(fits);
  const unpacked = at(({ event }) => event === 'layer-unpacked');
  t.true(boot.unpackedEarly > 0, `${boot.unpackedEarly} of ${boot.layers}`);
  t.true(unpacked > 0 && unpacked < at(({ event, stage }) => event === 'stage-ended' && stage === 'Import the image'));
  t.deepEqual(
    readdirSync(join(root, 'snapshots/sha256')).filter((name) => name.startsWith('.')),
    [],
  );
  const page = await ok('exec', 'shop-web-1', 'bash', '-c', PAGE);
  t.regex(page, /^HTTP\/1\.1 200 OK/);
  t.true(page.includes(`Hello from ${server.name}, an old server`), page);
  t.is((await ok('exec', 'shop-web-1', 'hostname')).trim(), 'web_01');
  t.notRegex(await ok('exec', 'shop-web-1', 'ip', 'route'), /default/);
  t.notRegex(await ok('exec', 'shop-web-1', 'ps', '-e', '-o', 'comm'), /^cron$/m);
  const html = await ok('report', '--html', '-');
  t.regex(html, /Booted, and looked into/);
  t.regex(html, /<td>port 80<\/td><td>listens<\/td><td>listens<\/td>/);
  // Its name is taken now, and that is said before anything is done.
  const again = await call('migrate', 'root@no.such.host.example', '--tag', 'shop/web:1', '--boot');
  t.is(again.code, 2);
  t.regex(again.stderr, /the name 'shop-web-1' is in use/);
});

test.serial('an image that does not boot is there all the same, and the exit code and the error tell', async (t) => {
  const made = await bench(t);
  if (made === undefined) return;
  const { server, access, call, ok } = made;
  const command = 'CMD ["/bin/sh", "-c", "echo no such shop; exit 3"]';
  const target = [`root@${server.address}`, ...access, '--profile', 'none', '--no-adapt', '--change', command];
  const planned = await ok('migrate', ...target, '--tag', 'bad', '--boot', '--dry-run');
  t.regex(planned, /see what runs and who listens/);
  const migrated = await call('migrate', ...target, '--tag', 'bad', '--boot', '--name', 'trial', '--no-quarantine');
  t.is(migrated.code, 1, migrated.stderr);
  t.regex(migrated.stdout, /^Digest +sha256:[0-9a-f]{64}$/m);
  t.regex(migrated.stdout, /^NOT BOOTED {2}the container trial ended with exit code 3/m);
  t.regex(migrated.stderr, /^p2c: the image bad:latest was made, but it did not boot: the container trial ended/m);
  t.regex(migrated.stderr, /cause: it said last: no such shop/);
  await ok('image', 'validate', 'bad');
  t.regex(await ok('logs', 'trial'), /no such shop/);
  t.regex(await ok('report', '--html', '-'), /Not booted/);
});

test.serial('of an interrupted boot the image stays, and of a killed one the resumed run takes the rest', async (t) => {
  const made = await bench(t);
  if (made === undefined) return;
  const { server, root, access, start, call, ok } = made;
  const profile = join(root, '../marked.yaml');
  await writeFile(profile, LOOKS_FOR_EVER);
  await server.exec('touch /srv/mark');
  const target = [`root@${server.address}`, ...access, '--profile', profile, '--exclude', '/srv/mark'];
  const words = ['migrate', ...target, '--tag', 'old', '--boot', '--no-quarantine'];
  const first = start(...words);
  await running(t, made, 'old');
  first.child.kill('SIGINT');
  t.is((await first.ended).code, 130);
  t.deepEqual(await containers(made), []);
  await ok('image', 'inspect', 'old');

  const second = start(...words);
  const left = await running(t, made, 'old');
  second.child.kill('SIGKILL');
  await second.ended;
  t.deepEqual(
    (await containers(made)).map(({ id }) => id),
    [left],
  );
  // Nobody waits for what was not well on the server either.
  await server.exec('rm /srv/mark');
  const resumed = await call('migrate', '--resume', '--json');
  t.is(resumed.code, 0, resumed.stderr);
  const { boot } = z
    .object({ boot: bootSchema.partial() })
    .parse(JSON.parse(resumed.stdout.replace('"heldBack":null', '"heldBack":""')));
  t.deepEqual(boot.health, [{ check: 'command test -e /srv/mark', before: 'sick', after: 'sick' }]);
  const now = await containers(made);
  t.deepEqual(
    now.map(({ name, status }) => [name, status]),
    [['old', 'running']],
  );
  t.not(now[0]?.id, left);
});

test.serial('each host of an inventory is booted, and one that lacks what it did gives exit code 4', async (t) => {
  const made = await bench(t);
  if (made === undefined) return;
  const { server, root, access, call } = made;
  const folder = dirname(root);
  await writeFile(join(folder, 'marked.yaml'), LOOKS_FOR_EVER.replace('1h', '1s'));
  await writeFile(
    join(folder, 'fleet.yaml'),
    `defaults: { user: root }\nhosts:\n  a: { address: ${server.address}, profile: none }\n  b: { address: ${server.address}, profile: ${folder}/marked.yaml, exclude: [/srv/mark] }\n`,
  );
  await server.exec('touch /srv/mark');
  t.teardown(() => server.exec('rm -f /srv/mark').then(() => undefined));
  const fleet = ['-i', join(folder, 'fleet.yaml'), ...access, '--tag', 'legacy/{{host}}', '--boot'];
  const named = await call('migrate', ...fleet, '--name', 'one');
  t.is(named.code, 2);
  t.regex(named.stderr, /--name is for one target/);
  const migrated = await call('migrate', ...fleet);
  t.is(migrated.code, 4, migrated.stderr);
  t.regex(migrated.stdout, /^a +done /m);
  t.regex(migrated.stdout, /^b +differences /m);
  t.deepEqual((await containers(made)).map(({ name }) => name).sort(), ['legacy-a', 'legacy-b']);
});

test('options of a boot without one are refused', async (t) => {
  for (const words of [['--name', 'a'], ['--network', 'a'], ['--no-quarantine']]) {
    const refused = await cli(['migrate', 'root@no.such.host.example', '--tag', 'a', ...words]);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /is for --boot/);
  }
});
