/** Volumes that were captured beside an image, as somebody may have made them: seeded whole, or not at all, and nowhere else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { requireRoot } from '../helpers/require.ts';
import { type Runner, remains, runner } from '../helpers/runner.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const folder = (name: string): RawEntry => ({ name, type: '5' });
const link = (name: string, target: string): RawEntry => ({ name, type: '2', link: target });
const DOWN = [folder('./'), folder('./srv/'), folder('./srv/db/')];
const EXECUTION = { Volumes: { '/srv/db': {} } };
const TREE = { 'srv/db/of-the-image': 'x' };
const up = '../'.repeat(40);

async function canary(t: ExecutionContext): Promise<string> {
  const outside = await temporaryFolder(t);
  mkdirSync(join(outside, 'in'), { mode: 0o700 });
  writeFileSync(join(outside, 'in/canary'), 'untouched', { mode: 0o600 });
  return outside;
}

function assertUntouched(t: ExecutionContext, outside: string): void {
  t.deepEqual(readdirSync(outside), ['in']);
  t.deepEqual(readdirSync(join(outside, 'in')), ['canary']);
  t.is(readFileSync(join(outside, 'in/canary'), 'utf8'), 'untouched');
  t.is(statSync(join(outside, 'in')).mode & 0o7777, 0o700);
  t.is(statSync(join(outside, 'in/canary')).mode & 0o7777, 0o600);
}

function volumeFolders({ store }: Runner): string[] {
  const volumes = join(store.root, 'volumes');
  return existsSync(volumes) ? readdirSync(volumes).filter((name) => !name.startsWith('.')) : [];
}

const SEES = 'find /srv/db | sort; cat /srv/db/* 2>/dev/null; true';

test('layer upon layer: whiteouts are applied, folders and files take each other’s place, links stay links', async (t) => {
  if (!requireRoot(t)) return;
  const lowest = [
    ...DOWN,
    { name: './srv/db/a', content: 'old' },
    { name: './srv/db/b', type: '1', link: './srv/db/a' },
    folder('./srv/db/file/'),
    { name: './srv/db/file/x', content: 'x' },
    folder('./srv/db/gone/'),
    { name: './srv/db/gone/x', content: 'x' },
    { name: './srv/db/z', content: 'x' },
  ];
  const delta = [
    ...DOWN,
    { name: './srv/db/file', content: 'now a file' },
    folder('./srv/db/z/'),
    { name: './srv/db/z/x', content: 'x' },
    { name: './srv/db/.wh.gone' },
    { name: './srv/db/.wh.a' },
  ];
  const layers = [lowest, delta, [...DOWN, { name: './srv/db/.wh.nosuch' }]].map(rawTar);
  const p2c = await runner(t, TREE, EXECUTION, [], { '/srv/db': layers });
  const seen = await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', SEES);
  t.is(seen, '/srv/db\n/srv/db/b\n/srv/db/file\n/srv/db/z\n/srv/db/z/x\noldnow a file');
  t.is(await p2c.ok('run', '--rm', '-v', 'own:/srv/db', 'test:latest', 'sh', '-c', SEES), seen);
  // What was written there since is nobody's to seed again.
  await p2c.ok('run', '--rm', '-v', 'own:/srv/db', 'test:latest', 'rm', '/srv/db/b');
  t.notRegex(await p2c.ok('run', '--rm', '-v', 'own:/srv/db', 'test:latest', 'sh', '-c', SEES), /db\/b/);
  t.deepEqual(volumeFolders(p2c), ['own']);
  t.deepEqual(readdirSync(join(p2c.store.root, 'volumes/own')).sort(), ['.lock', '_data', 'volume.json']);
});

test('links that a lower layer planted are followed by none above it, and by none that looks', async (t) => {
  if (!requireRoot(t)) return;
  const outside = await canary(t);
  const planted = [
    `${outside}/in`,
    `${up}${outside.slice(1)}/in`,
    `/proc/1/root${outside}/in`,
    `/proc/self/root${outside}/in`,
  ];
  const lowest = [...DOWN, ...planted.map((target, at) => link(`./srv/db/${at}`, target))];
  const delta = [...DOWN, ...planted.map((_, at) => ({ name: `./srv/db/${at}/planted`, content: 'x' }))];
  const hiding = [...DOWN, ...planted.map((_, at) => ({ name: `./srv/db/${at}/.wh.canary` }))];
  for (const layers of [
    [lowest, delta],
    [lowest, hiding],
    [lowest, delta, hiding],
  ]) {
    const p2c = await runner(t, TREE, EXECUTION, [], { '/srv/db': layers.map(rawTar) });
    await p2c.ok('run', '--rm', 'test:latest', 'true');
    assertUntouched(t, outside);
  }
});

const REFUSED: Readonly<Record<string, (outside: string) => RawEntry[]>> = {
  'the folder is a link out': (outside) => [folder('./'), folder('./srv/'), link('./srv/db', outside)],
  'a folder above is a link out': (outside) => [folder('./'), link('./srv', outside), { name: './srv/db/planted' }],
  'a file outside of the folder': () => [folder('./'), folder('./etc/'), { name: './etc/planted' }],
  'a hard link out': () => [...DOWN, { name: './srv/db/x', type: '1', link: './usr/bin/env' }],
  'a link, and then something through it': (outside) => [
    ...DOWN,
    link('./srv/db/x', outside),
    { name: './srv/db/x', content: 'planted' },
  ],
  'a name that climbs': () => [...DOWN, { name: './srv/db/../../planted' }],
  'a whiteout of the folder': () => [...DOWN, { name: './srv/.wh.db' }],
};

for (const [what, entries] of Object.entries(REFUSED)) {
  test(`refused, and nothing is left of it: ${what}`, async (t) => {
    if (!requireRoot(t)) return;
    const outside = await canary(t);
    // The lower layer is sound: half a volume is none.
    const sound = rawTar([...DOWN, { name: './srv/db/sound', content: 'x' }]);
    const p2c = await runner(t, TREE, EXECUTION, [], { '/srv/db': [sound, rawTar(entries(outside))] });
    const { code, stderr } = await p2c.call('run', '--rm', '-v', 'own:/srv/db', 'test:latest', 'true');
    t.is(code, 125, stderr);
    t.regex(stderr, /could not be filled/);
    t.regex(stderr, /is refused/);
    t.deepEqual(readdirSync(join(p2c.store.root, 'volumes/own/_data')), []);
    t.deepEqual(readdirSync(join(p2c.store.root, 'volumes/own')).sort(), ['.lock', '_data', 'volume.json']);
    assertUntouched(t, outside);
    t.deepEqual(remains(p2c), { files: ['names'], mounts: [], processes: [] });
    const judged = await p2c.call('image', 'validate', 'test:latest');
    t.is(judged.code, 4, judged.stdout);
  });
}

test('a volume that names no place is refused, and so is one whose bytes are not what its manifest says', async (t) => {
  if (!requireRoot(t)) return;
  for (const place of ['srv/db', '/', '/srv/../etc', '/srv/db/']) {
    const p2c = await runner(t, TREE, EXECUTION, [], { [place]: [rawTar(DOWN)] });
    const { code, stderr } = await p2c.call('run', '--rm', 'test:latest', 'true');
    t.is(code, 125, stderr);
    t.regex(stderr, /names no place/);
    t.is((await p2c.call('image', 'validate', 'test:latest')).code, 4);
  }
  const bytes = rawTar([...DOWN, { name: './srv/db/x', content: 'sound' }]);
  const p2c = await runner(t, TREE, EXECUTION, [], { '/srv/db': [bytes] });
  const blobs = join(p2c.store.root, 'blobs/sha256');
  const damaged = readdirSync(blobs).find((name) => readFileSync(join(blobs, name)).equals(bytes)) ?? '';
  writeFileSync(join(blobs, damaged), Buffer.from(bytes.toString('latin1').replace('sound', 'other'), 'latin1'));
  const { code, stderr } = await p2c.call('run', '--rm', '-v', 'own:/srv/db', 'test:latest', 'true');
  t.is(code, 125, stderr);
  t.regex(stderr, /is damaged/);
  t.deepEqual(readdirSync(join(p2c.store.root, 'volumes/own/_data')), []);
});
