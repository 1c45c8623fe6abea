/** Batches over real servers: what goes wrong with one is told and leaves the others alone, and what is killed goes on. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import * as z from 'zod';
import { cli, startCli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

const GOOD = ['bullseye', 'bookworm', 'trixie'] as const;
const BAD = ['key', 'down', 'disk', 'dies', 'stops'] as const;
/** `down`'s key, which is not that of `key`, and stays where `down` itself is gone. */
const OTHER_KEY: ReadonlySet<Name> = new Set<Name>(['key', 'down']);
type Name = (typeof GOOD)[number] | (typeof BAD)[number];

/** What a server writes while it is looked at would differ from run to run. */
const STILL = ['--no-stop', '--exclude', '/var/log/**', '--exclude', '/var/lib/**', '--settle', '0'];

const servers = new Map<Name, LabServer>();
/** Lines for a known_hosts file; of a server that went down too. */
let known = '';

test.before(async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap', 'filefrag'])) return;
  await Promise.all(
    [...GOOD, ...BAD].map(async (name) => {
      const suite = GOOD.find((each) => each === name) ?? 'bookworm';
      servers.set(name, await startLabServer(`batch-${name}`, { suite }));
    }),
  );
  known = [...servers.values()].map((each) => readFileSync(each.knownHosts, 'utf8')).join('');
});

test.after.always(async () => {
  await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()));
});

function server(name: Name): LabServer {
  const found = servers.get(name);
  if (found === undefined) throw new Error(`there is no server ${name}`);
  return found;
}

interface Event {
  readonly event: string;
  readonly host?: string;
  readonly [detail: string]: unknown;
}

function eventsOf(text: string): Event[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function hostsOf(events: readonly Event[], kind: string): (string | undefined)[] {
  return events
    .filter(({ event }) => event === kind)
    .map(({ host }) => host)
    .sort();
}

function journalOf(store: string): Event[] {
  const runs = join(store, 'runs');
  const [id] = existsSync(runs) ? readdirSync(runs) : [];
  const file = join(runs, id ?? '', 'journal.ndjson');
  // The last line may be in the middle of being written.
  return id === undefined || !existsSync(file) ? [] : eventsOf(readFileSync(file, 'utf8').replace(/[^\n]*$/, ''));
}

/** Reading a file there gives EIO, as a dying disk does: its disk's file ends in the middle of it. */
async function breakDisk(broken: LabServer): Promise<void> {
  await broken.exec(`mkdir -p /data/app && head -c 8M /dev/urandom > /data/app/broken.db && sync
    mount -o remount,ro /data`);
  const { stdout } = await run('filefrag', ['-v', join(broken.rootDir, 'data/app/broken.db')]);
  // Of its pieces, the one that lies last on the disk.
  const pieces = [...stdout.matchAll(/^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):/gm)];
  const [first = 0, last = 0] =
    pieces.map(([, from, to]) => [Number(from), Number(to)]).sort(([a], [b]) => (b ?? 0) - (a ?? 0))[0] ?? [];
  const device = (await broken.exec(`awk '$2 == "/data" { print $1 }' /proc/mounts`)).trim();
  const { stdout: disk } = await run('losetup', ['--noheadings', '--output', 'BACK-FILE', device]);
  await run('truncate', ['-s', String(Math.ceil((first + last) / 2) * 4096), disk.trim()]);
  // The device too: or a late write behind the end would make the file longer again, and all before it zeros.
  await run('losetup', ['--set-capacity', device]);
  // What was just written is in memory still, where no disk is asked for it; not all of it may go at the first asking.
  const fails = async (): Promise<boolean> => {
    await writeFile('/proc/sys/vm/drop_caches', '1');
    return (await broken.exec('cat /data/app/broken.db >/dev/null 2>&1 || echo EIO')) === 'EIO\n';
  };
  for (let tries = 0; !(await fails()); tries += 1) {
    if (tries === 60) throw new Error(`the disk does not break: ${stdout}`);
    await setTimeout(500);
  }
}

async function inventory(folder: string, names: readonly Name[], profile: string): Promise<string> {
  const file = join(folder, 'fleet.yaml');
  const hosts = names.map((name) => {
    const { address, identity } = server(name);
    const own = name === 'stops' ? `, profile: ${join(folder, 'stuck.yaml')}` : '';
    return `  ${name}: { address: ${address}, identity: ${OTHER_KEY.has(name) ? join(folder, 'wrong') : identity}${own} }`;
  });
  await writeFile(
    file,
    `defaults: { user: root, ${profile}tag: 'legacy/{{host}}:latest' }\nhosts:\n${hosts.join('\n')}\n`,
  );
  return file;
}

async function knownHosts(folder: string): Promise<string> {
  const file = join(folder, 'known_hosts');
  await writeFile(file, known);
  return file;
}

async function served(name: Name): Promise<boolean> {
  const response = await fetch(`http://${server(name).address}/`, { signal: AbortSignal.timeout(60_000) });
  // Its page lies on the disk that is broken.
  return response.ok || name === 'disk';
}

test.serial(
  'of eight servers five have trouble: the others are migrated, and each trouble is told with its remedy',
  async (t) => {
    if (!requireRoot(t)) return;
    const folder = await temporaryFolder(t);
    const store = join(folder, 'store');
    await copyFile(server('down').identity, join(folder, 'wrong'));
    const nginx = readFileSync('profiles/nginx.yaml', 'utf8');
    // It stops, as far as its own script says, and goes on serving.
    await writeFile(
      join(folder, 'stuck.yaml'),
      nginx
        .replace(/^name: nginx$/m, 'name: stuck')
        .replace(/^stop:\n(?: .*\n)+/m, "stop:\n  - run: 'exit 3'\n    timeout: 10s\n    down: { process: nginx }\n"),
    );
    await breakDisk(server('disk'));
    const file = await inventory(folder, [...GOOD, ...BAD], 'profile: nginx, ');
    await server('down')[Symbol.asyncDispose]();
    servers.delete('down');
    const p2c = startCli(
      [
        ...['migrate', '-i', file, '--known-hosts', await knownHosts(folder), '--json', '--concurrency', '8'],
        ...['--connect-timeout', '30', '--retries', '1', '--attempts', '1', '--metrics-file', join(folder, 'p2c.prom')],
        ...['--fail', `cat >> ${join(folder, 'failures')}; echo >> ${join(folder, 'failures')}`],
      ],
      { P2C_ROOT: store },
    );
    // One dies while it streams.
    const died = new Promise<void>((resolve) => {
      let said = '';
      p2c.child.stdout?.on('data', (text: string) => {
        said = `${said.slice(-1000)}${text}`;
        if (/"event":"stage-started","stage":"Stream the files","host":"dies"/.test(said)) resolve();
      });
    }).then(() => process.kill(server('dies').pid, 'SIGKILL'));
    const ended = await p2c.ended;
    t.regex(ended.stdout, /"stage":"Stream the files","host":"dies"/, ended.stderr);
    await died;
    t.is(ended.code, 1, ended.stderr);
    const events = eventsOf(ended.stdout);
    t.is(events[0]?.event, 'run-started');
    const asked = z.array(z.object({ host: z.string(), bytes: z.number().nullable() }));
    const held = asked.parse(events.find(({ event }) => event === 'disk-planned')?.['hosts']);
    for (const { host, bytes } of held)
      t.is((bytes ?? 0) > 100e6, host !== 'down' && host !== 'key', `${host} holds ${bytes}`);
    const healed = events.find(({ event, host }) => event === 'host-done' && host === 'disk');
    t.is(healed, undefined, JSON.stringify(healed)?.slice(0, 20_000));
    t.deepEqual(hostsOf(events, 'host-done'), [...GOOD].sort());
    t.like(events.at(-1), { event: 'run-finished', exitCode: 1, done: 3, failed: 5 });
    const failures = new Map(
      events.filter(({ event }) => event === 'host-failed').map(({ host, error }) => [host, error]),
    );
    const expected = {
      key: { code: /^ssh\.auth$/, message: /does not let root in/ },
      down: { code: /^ssh\./, message: /./ },
      disk: { code: /^capture\.unreadable$/, message: /could not be read: .*\/data\// },
      // The link, or the applications that only its watchdog could start again: whichever p2c learns of first.
      dies: { code: /^(ssh\.|quiesce\.(link|lease)-lost$)/, message: /./ },
      stops: { code: /^quiesce\.stop-failed$/, message: /stuck/ },
    };
    for (const [host, { code, message }] of Object.entries(expected)) {
      const error = JSON.parse(JSON.stringify(failures.get(host) ?? {}));
      t.regex(String(error.code), code, host);
      t.regex(String(error.message), message, host);
      t.regex(String(error.hint), /\w+ \w+/, `${host} has a remedy`);
    }
    for (const name of [...GOOD, 'key', 'disk', 'stops'] as const)
      t.true(await served(name), `${name} serves its page`);
    const images = await cli(['images', '--json'], { P2C_ROOT: store });
    t.is(JSON.parse(images.stdout).length, 3);
    t.deepEqual(
      eventsOf(readFileSync(join(folder, 'failures'), 'utf8'))
        .map(({ host }) => host)
        .sort(),
      [...BAD].sort(),
    );
    const metrics = readFileSync(join(folder, 'p2c.prom'), 'utf8');
    t.regex(metrics, /^p2c_run_hosts\{verb="migrate",state="failed"\} 5$/m);
    t.regex(metrics, /^p2c_host_success\{host="trixie"\} 1$/m);

    // Two are mended: the run goes on with those that are not done, and only with them.
    await copyFile(server('key').identity, join(folder, 'wrong'));
    const resumed = await cli(['migrate', '--resume', '--exclude', '/data/**', '--max-failures', '5'], {
      P2C_ROOT: store,
    });
    t.is(resumed.code, 1, resumed.stderr);
    // As the run was begun: with --json.
    const mended = eventsOf(resumed.stdout);
    t.like(mended.at(-1), { event: 'run-finished', exitCode: 1, done: 5, failed: 3 });
    t.deepEqual(hostsOf(mended, 'host-done'), ['disk', 'key']);
    t.deepEqual(hostsOf(mended, 'host-kept'), [...GOOD].sort());
    t.is((await cli(['images', '-q'], { P2C_ROOT: store })).stdout.trim().split('\n').length, 5);
  },
);

test.serial(
  'a batch that is killed five times makes the images of an undisturbed one, and no part twice',
  async (t) => {
    if (!requireRoot(t)) return;
    const folder = await temporaryFolder(t);
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    const file = await inventory(folder, GOOD, '');
    const args = ['migrate', '-i', file, '--known-hosts', await knownHosts(folder), '--part-size', '8m', ...STILL];
    const calm = join(folder, 'calm');
    const undisturbed = await cli([...args, '--concurrency', '3'], { ...env, P2C_ROOT: calm });
    t.is(undisturbed.code, 0, undisturbed.stderr);

    const killed = join(folder, 'killed');
    let kills = 0;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const begun = journalOf(killed).length;
      const wanted = Math.floor(Math.random() * 11);
      const call = begun === 0 ? [...args, '--concurrency', '3'] : ['migrate', '--resume'];
      const p2c = startCli(call, { ...env, P2C_ROOT: killed });
      let over = false;
      void p2c.ended.then(() => {
        over = true;
      });
      const captured = (): number =>
        journalOf(killed)
          .slice(begun)
          .filter(({ event }) => event === 'part-captured').length;
      const begins = (): boolean => journalOf(killed).length > begun;
      while (!over && (!begins() || captured() < wanted)) await setTimeout(20);
      await setTimeout(Math.random() * 300);
      if (!over) kills += 1;
      p2c.child.kill('SIGKILL');
      await p2c.ended;
      t.log(`killed after ${journalOf(killed).length - begun} events, with ${captured()} parts captured`);
      // Other runs leave alone what this one goes on with.
      if (attempt === 2) await cli(['image', 'rm', 'none:such'], { P2C_ROOT: killed });
    }
    const last = await cli(['migrate', '--resume'], { ...env, P2C_ROOT: killed });
    t.true(last.code === 0 || /every host|no run of/.test(last.stderr), last.stderr);

    const imagesOf = async (root: string): Promise<string[]> => {
      const { stdout } = await cli(['images', '--json'], { P2C_ROOT: root });
      const images: { names: string[]; digest: string }[] = JSON.parse(stdout);
      return images.map((image) => JSON.stringify(image)).sort();
    };
    t.deepEqual(await imagesOf(killed), await imagesOf(calm));
    t.is((await cli(['image', 'validate', '--all'], { P2C_ROOT: killed })).code, 0);

    const bytesOf = (root: string): number =>
      journalOf(root)
        .filter(({ event }) => event === 'part-captured')
        .reduce((sum, { bytes }) => sum + Number(bytes), 0);
    // One that was captured, and whose line the kill kept from the journal, is known by the store all the same.
    t.true(bytesOf(killed) <= bytesOf(calm), `${bytesOf(killed)} bytes captured, and ${bytesOf(calm)} undisturbed`);
    const parts = journalOf(killed).filter(({ event }) => event === 'part-captured');
    t.is(new Set(parts.map(({ host, part }) => `${host} ${part}`)).size, parts.length, 'no part was captured twice');
    const kept = journalOf(killed).filter(({ event }) => event === 'part-kept').length;
    t.log(`${kills} kills, ${kept} parts kept, ${bytesOf(killed)} bytes captured`);
    t.deepEqual(readdirSync(join(killed, 'held')), []);
    t.is(readdirSync(join(killed, 'blobs/sha256')).length, readdirSync(join(calm, 'blobs/sha256')).length);
  },
);

test.serial('two batches at once on one store share what is the same, and spoil nothing', async (t) => {
  if (!requireRoot(t)) return;
  const folder = await temporaryFolder(t);
  const env = { SOURCE_DATE_EPOCH: '1700000000', P2C_ROOT: join(folder, 'store') };
  const file = await inventory(folder, ['bookworm', 'trixie'], '');
  const args = ['migrate', '-i', file, '--known-hosts', await knownHosts(folder), '--part-size', '32m', ...STILL];
  const ends = await Promise.all(
    ['one', 'two'].map((name) => cli([...args, '--tag', `${name}/{{host}}:1`, '--reserve', '100m'], env)),
  );
  for (const { code, stderr } of ends) {
    t.is(code, 0, stderr);
    t.regex(stderr, /2 hosts hold at most .* the store has .* free/);
  }
  const images: { Names: string[]; Digest: string }[] = JSON.parse((await cli(['images', '--json'], env)).stdout);
  const digestOf = (name: string) => images.find(({ Names }) => Names.includes(name))?.Digest;
  t.is(images.length, 4);
  for (const host of ['bookworm', 'trixie']) {
    t.is(typeof digestOf(`one/${host}:1`), 'string');
    t.is(digestOf(`one/${host}:1`), digestOf(`two/${host}:1`), host);
  }
  const validated = await cli(['image', 'validate', '--all'], env);
  t.is(validated.code, 0, validated.stdout);
  t.deepEqual(readdirSync(join(env.P2C_ROOT, 'held')), []);
  t.is(readdirSync(join(env.P2C_ROOT, 'runs')).length, 2);
});
