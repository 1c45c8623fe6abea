/** `p2c prune` on real stores: what is needed stays, also by those who are just beginning, and all else goes. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cli, startCli } from '../helpers/cli.ts';
import { labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { type Runner, runner } from '../helpers/runner.ts';
import { tarOf } from '../helpers/runtime-image.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

interface Pruned {
  readonly snapshots: readonly { readonly digest: string; readonly bytes: number }[];
  readonly blobs: readonly { readonly digest: string; readonly bytes: number }[];
  readonly leftovers: readonly { readonly path: string }[];
  readonly bytes: number;
}

function ready(t: ExecutionContext): boolean {
  return requireRoot(t) && requirePrograms(t, ['busybox', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'script', 'tar']);
}

/** Of a store without a runner. */
interface Caller {
  ok(...args: readonly string[]): Promise<unknown>;
}

async function prune(p2c: Runner, ...options: readonly string[]): Promise<Pruned> {
  return JSON.parse(await p2c.ok('prune', '-f', '--json', ...options));
}

function snapshots({ store }: Runner): string[] {
  const folder = join(store.root, 'snapshots/sha256');
  return existsSync(folder) ? readdirSync(folder) : [];
}

function blobs({ store }: Runner): string[] {
  return readdirSync(join(store.root, 'blobs/sha256'));
}

/** Prunes again and again until it is told to stop. @returns how often. */
function pruning(p2c: Caller): () => Promise<number> {
  let goesOn = true;
  const work = (async () => {
    let times = 0;
    for (; goesOn; times += 1) await p2c.ok('prune', '-af');
    return times;
  })();
  return () => {
    goesOn = false;
    return work;
  };
}

/** The number of a process that has ended. */
function deadPid(): number {
  return Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
}

test('a snapshot goes when neither an image nor a container needs it, and its bytes are told', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const [layer] = p2c.store.image.manifest.layers;
  const hex = layer?.digest.slice('sha256:'.length) ?? '';
  await p2c.ok('create', '--name', 'c', 'test:latest', 'cat', '/var/www/index.html');
  t.deepEqual(await prune(p2c, '--all'), { dryRun: false, snapshots: [], blobs: [], leftovers: [], bytes: 0 });
  await p2c.ok('image', 'rm', '-f', 'test:latest');
  t.deepEqual(blobs(p2c), []);
  t.deepEqual((await prune(p2c, '--all')).snapshots, []);
  t.is((await p2c.callWith('', 'start', '-a', 'c')).stdout, 'the page\n');
  await p2c.ok('rm', 'c');
  const wouldGo = await prune(p2c, '--dry-run');
  t.deepEqual(snapshots(p2c), [hex]);
  const bytes = Number.parseInt(
    execFileSync('du', ['-s', '-B1', join(p2c.store.root, 'snapshots/sha256', hex)], { encoding: 'utf8' }),
    10,
  );
  t.deepEqual(wouldGo.snapshots, [{ digest: layer?.digest, bytes }]);
  t.deepEqual(await prune(p2c), { ...wouldGo, dryRun: false });
  t.deepEqual(snapshots(p2c), []);
});

test('an image without a container keeps its snapshots, but for --all', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  await p2c.ok('run', '--rm', 'test:latest', 'true');
  t.deepEqual((await prune(p2c)).snapshots, []);
  t.is((await prune(p2c, '-a')).snapshots.length, 1);
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'cat', '/var/www/index.html'), 'the page');
});

test('blobs without an image and what the dead left go; what the living and runs that can be resumed have stays', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const { root } = p2c.store;
  const [dead, alive] = [deadPid(), process.pid];
  const digest = (digit: string): string => digit.repeat(64);
  for (const digit of ['1', '2', '3']) writeFileSync(join(root, 'blobs/sha256', digest(digit)), 'a part');
  mkdirSync(join(root, 'held'), { recursive: true });
  writeFileSync(join(root, 'held/20261125-094007-3f2a.0'), `sha256:${digest('1')}\n`);
  writeFileSync(join(root, `tmp/uses-${alive}-0123456789ab`), `sha256:${digest('2')}\n`);
  writeFileSync(join(root, `tmp/blob-${alive}-0123456789ab`), 'half');
  const left = [
    `tmp/blob-${dead}-0123456789ab`,
    `tmp/run-${dead}-aB3dE6`,
    `snapshots/sha256/.unpack-${dead}-12345-0123456789ab`,
    `snapshots/sha256/.gone-${alive}-1-0123456789ab`,
    `volumes/.new-${dead}-12345-0123456789ab`,
    `volumes/data/.seed-${dead}-12345-0123456789ab`,
    `containers/.gone-${digest('4')}`,
  ];
  await p2c.ok('volume', 'create', 'data');
  for (const path of left) mkdirSync(join(root, path, 'inside'), { recursive: true });
  const { blobs: gone, leftovers } = await prune(p2c);
  t.deepEqual(gone, [{ digest: `sha256:${digest('3')}`, bytes: 6 }]);
  t.deepEqual(leftovers.map(({ path }) => path.slice(root.length + 1)).sort(), [...left].sort());
  t.deepEqual(
    left.filter((path) => existsSync(join(root, path))),
    [],
  );
  t.true(existsSync(join(root, `tmp/blob-${alive}-0123456789ab`)));
  t.is((await prune(p2c)).bytes, 0);
  t.deepEqual((await p2c.ok('volume', 'ls', '-q')).split('\n'), ['data']);
});

test('pruned all the time, containers start, are removed and start again, and images come and go', async (t) => {
  if (!ready(t)) return;
  // Layers of some size: unpacking them takes longer than a look at the store.
  const layers = [];
  for (const name of ['a', 'b', 'c']) {
    const tree = await temporaryFolder(t);
    mkdirSync(join(tree, 'srv', name), { recursive: true });
    for (let at = 0; at < 300; at += 1) writeFileSync(join(tree, 'srv', name, String(at)), 'x'.repeat(20_000));
    layers.push(tarOf(tree));
  }
  const p2c = await runner(t, {}, {}, layers);
  const count = 'ls /srv/a /srv/b /srv/c | grep -c "^[0-9]"';
  const stop = pruning(p2c);
  const lives = await Promise.all(
    Array.from({ length: 2 }, async (_, at) => {
      const seen: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        await p2c.ok('create', '--name', `c${at}`, 'test:latest', 'sh', '-c', count);
        seen.push((await p2c.callWith('', 'start', '-a', `c${at}`)).stdout);
        seen.push(await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', count));
        await p2c.ok('rm', `c${at}`);
      }
      return seen.map((text) => text.trim());
    }),
  );
  const times = await stop();
  t.deepEqual(
    lives,
    Array.from({ length: 2 }, () => Array.from({ length: 6 }, () => '900')),
  );
  t.true(times >= 2, `pruned ${times} times`);
  await prune(p2c, '-a');
  t.deepEqual(snapshots(p2c), []);
  t.is((await p2c.call('image', 'validate', '--all')).code, 0);
});

test('whoever makes a container of an image that is removed just then has it whole, or is told that it is gone', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t);
  const archive = await temporaryFolder(t);
  execFileSync('cp', ['-a', `${p2c.store.root}/.`, join(archive, 'copy')]);
  const make = () => p2c.call('run', '--rm', 'test:latest', 'cat', '/var/www/index.html');
  // The moments lie within what it takes here just now.
  const begin = performance.now();
  t.is((await make()).stdout, 'the page\n');
  const takes = performance.now() - begin;
  for (const moment of [0, 0.2, 0.4, 0.6, 0.8]) {
    const made = make();
    await new Promise((resolve) => setTimeout(resolve, moment * takes));
    await p2c.call('image', 'rm', '-f', 'test:latest');
    await p2c.ok('prune', '-af');
    const { code, stdout, stderr } = await made;
    if (code === 0) t.is(stdout, 'the page\n');
    else t.regex(stderr, /there is no image|the store .* has no images?/);
    for (const name of ['blobs', 'index.json']) {
      execFileSync('cp', ['-a', join(archive, 'copy', name), p2c.store.root]);
    }
  }
});

test('pruned all the time, a migration that is killed goes on with the parts it had, and its image is whole', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return;
  const server = await labServer(t, 'pruned');
  const root = join(await temporaryFolder(t), 'store');
  const env = { P2C_ROOT: root };
  const stop = pruning({
    async ok(...args) {
      const { code, stderr } = await cli(args, env);
      t.is(code, 0, stderr);
    },
  });
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const how = ['--no-stop', '--no-adapt', '--part-size', '16m', '--tag', 'lab:one', '--settle', '0'];
  const first = startCli(['migrate', `${server.user}@${server.address}`, ...access, ...how], env);
  const isOver = first.ended.then(() => true);
  const soon = (): Promise<false> => new Promise((resolve) => setTimeout(() => resolve(false), 20));
  while (captured(root) < 3 && !(await Promise.race([isOver, soon()])));
  first.child.kill('SIGKILL');
  const { signal, stderr } = await first.ended;
  t.is(signal, 'SIGKILL', stderr);
  const held = captured(root);
  await cli(['prune', '-af'], env);
  const resumed = await cli(['migrate', '--resume'], env);
  t.true([0, 3].includes(resumed.code ?? -1), resumed.stderr);
  t.true((await stop()) >= 2);
  t.true(journal(root).filter((line) => line.includes('"part-kept"')).length >= held);
  t.is((await cli(['image', 'validate', '--all'], env)).code, 0);
});

/** Whole lines of the only run's journal. */
function journal(root: string): string[] {
  const [id = ''] = existsSync(join(root, 'runs')) ? readdirSync(join(root, 'runs')) : [];
  const file = join(root, 'runs', id, 'journal.ndjson');
  return existsSync(file) && id !== '' ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

function captured(root: string): number {
  return journal(root).filter((line) => line.includes('"part-captured"')).length;
}
