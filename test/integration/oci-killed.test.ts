/** What becomes of a store when its writers are killed, when there are several, and where none can be made. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { validateLayout } from '../../src/oci/validation/layout.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../helpers/add-images.ts', import.meta.url));
const FOR_EVER = '1000000';

interface Adder {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** Names of the images it has made. */
  readonly made: readonly string[];
}

/** Adds images in a process of its own, killed with the test at the latest. */
function startAdder(t: ExecutionContext, root: string, prefix: string, times: string): Adder {
  const args = ['--import=tsx', SCRIPT, root, prefix, times];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const made: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => made.push(...text.split('\n').filter(Boolean)));
  return { child, ended, made };
}

function blobs(root: string): string[] {
  return readdirSync(join(root, 'blobs/sha256'));
}

test('killed at any moment, a writer leaves a store that validates and holds what it said it holds', async (t) => {
  const root = join(await temporaryFolder(t), 'store');
  const promised = new Set<string>();
  for (let round = 0; round < 12; round += 1) {
    const { child, ended, made } = startAdder(t, root, `round${round}`, FOR_EVER);
    while (made.length === 0 && child.exitCode === null) await setTimeout(5);
    await setTimeout(Math.random() * 250);
    child.kill('SIGKILL');
    await ended;
    for (const name of made) promised.add(name);
    t.true(made.length > 0);
    const { faults, images } = await validateLayout(root);
    t.deepEqual(faults, []);
    t.true(images >= promised.size);
  }
  const store = await ImageStore.open(root, { create: true });
  for (const name of promised) t.is((await store.find(name)).reference, name);
  const last = startAdder(t, root, 'last', '1');
  await last.ended;
  t.deepEqual(readdirSync(join(root, 'tmp')), [], 'what the killed ones left is gone');
  const reached = (await store.list()).flatMap(({ digest, configDigest, manifest }) => [
    digest,
    configDigest,
    ...manifest.layers.map((layer) => layer.digest),
  ]);
  t.deepEqual(blobs(root).sort(), [...new Set(reached.map((digest) => digest.slice('sha256:'.length)))].sort());
});

test('writers and removers at once lose nothing and leave nothing', async (t) => {
  const root = join(await temporaryFolder(t), 'store');
  const adders = ['one', 'two', 'three'].map((prefix) => startAdder(t, root, prefix, '12'));
  const store = await ImageStore.open(root, { create: true });
  let removed = 0;
  let busy = true;
  const ended = Promise.all(adders.map((adder) => adder.ended)).then(() => {
    busy = false;
  });
  while (busy) {
    const victim = (await store.list()).find(({ reference }) => reference?.startsWith('one:') === true);
    if (victim?.reference !== undefined) {
      await store.remove(victim.reference);
      removed += 1;
    }
    await setTimeout(20);
  }
  await ended;
  t.deepEqual(
    adders.map(({ child, made }) => [child.exitCode, made.length]),
    adders.map(() => [0, 12]),
  );
  t.true(removed > 0);
  t.deepEqual((await validateLayout(root)).faults, []);
  for (const { reference } of await store.list()) if (reference !== undefined) await store.remove(reference);
  t.deepEqual(blobs(root), []);
});

async function mountAt(t: ExecutionContext, folder: string, options: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', options, 'p2c-test', folder]);
  t.teardown(() => run('umount', [folder]));
}

test('where no store can be made, on a read-only disk or below a file, the path is told', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['mount', 'umount'])) return;
  const folder = await temporaryFolder(t);
  const readOnly = join(folder, 'read-only');
  await mountAt(t, readOnly, 'ro');
  const denied = await t.throwsAsync(ImageStore.open(join(readOnly, 'store'), { create: true }));
  t.like(denied, { code: 'store.denied' });
  t.regex(denied?.message ?? '', /read-only\/store/);

  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const root of [file, join(file, 'store')]) {
    const error = await t.throwsAsync(ImageStore.open(root, { create: true }), { instanceOf: P2cError });
    t.is(error?.code, 'store.place');
    t.true(error?.message.includes(root));
  }
});
