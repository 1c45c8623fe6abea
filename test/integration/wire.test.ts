/** The way of the bytes: compressed or slowed down, they are the same; a link that only seems to stand is noticed. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/ssh/connect.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { cli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

let shared: Promise<LabServer> | undefined;

test.after.always(async () => {
  await (await shared)?.[Symbol.asyncDispose]();
});

async function lab(t: ExecutionContext): Promise<LabServer | undefined> {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return undefined;
  shared ??= startLabServer('wire');
  return shared;
}

function layersOf(root: string): string[] {
  const blob = (digest: string): { layers: { digest: string }[] } =>
    JSON.parse(readFileSync(join(root, 'blobs/sha256', digest.slice(7)), 'utf8'));
  const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8'));
  return blob(index.manifests[0].digest).layers.map(({ digest }) => digest);
}

test.serial('however the bytes travel, the layers are the same, and the report says how', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const capture = async (...how: string[]) => {
    const root = await temporaryFolder(t);
    const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
    const still = ['--no-stop', '--exclude', '/var/log/**', '--exclude', '/run/**', '--tag', 'lab:one', '--json'];
    const ended = await cli(['migrate', `root@${server.address}`, ...access, ...still, ...how], { P2C_ROOT: root });
    t.is(ended.code, 0, ended.stderr);
    const { transport, ledger } = JSON.parse(ended.stdout);
    return { root, layers: layersOf(root), transport, ledger };
  };
  const [plain, gzip, ssh] = await Promise.all([
    capture('--compress', 'none'),
    capture('--compress', 'gzip', '--limit-rate', '200m'),
    capture('--compress', 'ssh'),
  ]);
  t.true(plain.layers.length > 0);
  t.deepEqual(gzip.layers, plain.layers);
  t.deepEqual(ssh.layers, plain.layers);
  t.like(gzip.transport, { compression: 'gzip', reason: 'as asked for', limitBytesPerSecond: 200 * 1024 * 1024 });
  t.like(ssh.transport, { compression: 'ssh', limitBytesPerSecond: null });
  // Every command is in the account, with what came of it: also those that came after the survey.
  const streams = gzip.ledger.filter(({ purpose }: { purpose: string }) => purpose.startsWith('stream part'));
  t.true(streams.length > 0);
  for (const entry of gzip.ledger) {
    t.is(typeof entry.code, 'number', entry.purpose);
    t.is(typeof entry.durationMs, 'number');
    t.truthy(Date.parse(entry.at));
  }
  // And on record while it runs, should the run fail or be killed.
  const [name = ''] = readdirSync(join(gzip.root, 'runs')).filter((entry) => !entry.startsWith('.'));
  const journal = readFileSync(join(gzip.root, 'runs', name, 'journal.ndjson'), 'utf8');
  const commands = journal.split('\n').filter((line) => line.includes('"event":"command"'));
  t.is(commands.length, gzip.ledger.length);
  const refused = await cli(
    [
      ...['migrate', `root@${server.address}`, '--identity', server.identity, '--known-hosts', server.knownHosts],
      ...['--tag', 'lab:one', '--compress', 'lz4'],
    ],
    { P2C_ROOT: await temporaryFolder(t) },
  );
  t.is(refused.code, 2);
  t.regex(refused.stderr, /--compress lz4: there is no lz4 on root@/);
});

test.serial(
  'a link whose packets vanish is noticed by the signs of life, and by the silence of a stream',
  async (t) => {
    const server = await lab(t);
    if (server === undefined) return;
    const target = parseTarget(`root@${server.address}`);
    const options = { agent: null, identities: [server.identity], knownHostsFiles: [server.knownHosts] };
    const alive = await connect(target, { ...options, keepaliveMs: 500, keepaliveCountMax: 2 });
    const silent = await connect(target, { ...options, keepaliveMs: 600_000, idleTimeoutMs: 1500 });
    const { stdout } = await run('ip', ['-json', 'route', 'get', server.address]);
    const [{ prefsrc }] = JSON.parse(stdout) as [{ prefsrc: string }];
    const inside = ['netns', 'exec', server.netns, 'ip', 'route'];
    const waiting = alive.run({ purpose: 'wait', script: 'sleep 300', timeoutMs: 300_000 });
    waiting.catch(() => {});
    const stream = await silent.stream({
      purpose: 'drip',
      script: 'while :; do echo; sleep 0.2; done',
      timeoutMs: 300_000,
    });
    const reading = (async () => {
      for await (const chunk of stream.stdout) void chunk;
    })();
    reading.catch(() => {});
    // Nothing comes back any more, and nobody says so.
    await run('ip', [...inside, 'add', 'blackhole', `${prefsrc}/32`]);
    try {
      await t.throwsAsync(waiting, { code: 'ssh.lost', message: /Keepalive timeout/ });
      await t.throwsAsync(reading, { code: 'ssh.command-timeout', message: /sent nothing for 1.5 s/ });
    } finally {
      await run('ip', [...inside, 'del', 'blackhole', `${prefsrc}/32`]);
      await alive[Symbol.asyncDispose]();
      await silent[Symbol.asyncDispose]();
    }
  },
);
