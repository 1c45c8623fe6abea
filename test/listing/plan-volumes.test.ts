/** How a plan is cut where folders are stored beside the image as volumes. */
import test, { type ExecutionContext } from 'ava';
import { Changes } from '../../src/listing/changes.ts';
import type { Entry } from '../../src/listing/entry.ts';
import { PathListReader } from '../../src/listing/path-list.ts';
import { type CapturePlan, makeDeltaPlan, makePlan } from '../../src/listing/plan.ts';
import { type RuleInput, RuleSet } from '../../src/listing/rules.ts';
import { type Listing, ListingWriter } from '../../src/listing/storage.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { batches, directory, entry } from '../helpers/entries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const apart = (path: string) => ({ path: byteStringFromText(path), apart: true });
const inImage = (path: string) => ({ path: byteStringFromText(path), apart: false });
const exclude = (pattern: string): RuleInput => ({ level: 'base', action: 'exclude', pattern, reason: 'test' });

/** Of each part: its volume, its paths, and what it hides. */
function read(plan: CapturePlan): [string, string[], ...string[]][] {
  return plan.parts.map(({ volume, pathsFile, whiteouts }) => {
    const reader = new PathListReader(pathsFile);
    const paths: string[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next()) paths.push(next.path);
    return [volume ?? 'image', paths, ...whiteouts];
  });
}

const SERVER: Entry[] = [
  directory('/'),
  directory('/srv'),
  entry('/srv/a'),
  directory('/srv/db'),
  directory('/srv/db/t'),
  entry('/srv/db/t/1'),
  entry('/srv/db-old'),
  entry('/z'),
];

test("what is below a volume's folder has parts of its own, and the folder is in both", async (t) => {
  const plan = await makePlan(batches(...SERVER), new RuleSet([]), await temporaryFolder(t), {
    volumes: [apart('/srv/db')],
  });
  t.deepEqual(read(plan), [
    ['image', ['/', '/srv', '/srv/a', '/srv/db', '/srv/db-old', '/z']],
    ['/srv/db', ['/', '/srv', '/srv/db', '/srv/db/t', '/srv/db/t/1']],
  ]);
  t.is(plan.entries, SERVER.length);
  t.deepEqual(plan.goneVolumes, []);
});

test('an empty volume has its folder; one that is no folder, or is left out, has nothing', async (t) => {
  const entries = [
    directory('/'),
    directory('/empty'),
    directory('/left'),
    entry('/left/x'),
    entry('/link', { type: 'l' }),
  ];
  const plan = await makePlan(batches(...entries), new RuleSet([exclude('/left')]), await temporaryFolder(t), {
    volumes: [apart('/empty'), apart('/left'), apart('/link'), apart('/nosuch')],
  });
  t.deepEqual(read(plan), [
    ['image', ['/', '/empty', '/link']],
    ['/empty', ['/', '/empty']],
  ]);
});

test('volumes within volumes: the innermost decides, also one that stays in the image', async (t) => {
  const entries = [
    directory('/'),
    directory('/v'),
    directory('/v/in'),
    entry('/v/in/1'),
    directory('/v/kept'),
    entry('/v/kept/1'),
    entry('/v/x'),
  ];
  const plan = await makePlan(batches(...entries), new RuleSet([]), await temporaryFolder(t), {
    volumes: [apart('/v'), apart('/v/in'), inImage('/v/kept')],
  });
  t.deepEqual(read(plan), [
    ['image', ['/', '/v', '/v/kept', '/v/kept/1']],
    ['/v', ['/', '/v', '/v/in', '/v/kept', '/v/x']],
    ['/v/in', ['/', '/v', '/v/in', '/v/in/1']],
  ]);
});

test('an inode with names on both sides of the border has its content on both, and links within each', async (t) => {
  const linked = { links: 4, inode: 7, size: 1_000_000 };
  const entries = [
    directory('/'),
    entry('/a', linked),
    entry('/b', linked),
    directory('/v'),
    entry('/v/1', linked),
    entry('/v/2', linked),
  ];
  const plan = await makePlan(batches(...entries), new RuleSet([]), await temporaryFolder(t), {
    volumes: [apart('/v')],
  });
  t.deepEqual(read(plan), [
    ['image', ['/', '/a', '/b', '/v']],
    ['/v', ['/', '/v', '/v/1', '/v/2']],
  ]);
  t.is(plan.bytes, 2_000_000);
});

test('a volume is cut into parts as the image is, each with the folders down to its entries', async (t) => {
  const big = { size: 1_000_000 };
  const entries = [directory('/'), directory('/v'), entry('/v/1', big), entry('/v/2', big), entry('/x', big)];
  const plan = await makePlan(batches(...entries), new RuleSet([]), await temporaryFolder(t), {
    volumes: [apart('/v')],
    partBytes: 1_100_000,
  });
  t.deepEqual(read(plan), [
    ['image', ['/', '/v', '/x']],
    ['/v', ['/', '/v', '/v/1']],
    ['/v', ['/', '/v', '/v/2']],
  ]);
});

async function listing(t: ExecutionContext, entries: readonly Entry[]): Promise<Listing> {
  const writer = new ListingWriter(await temporaryFolder(t), 'test');
  await writer.add(entries);
  return writer.finish();
}

async function delta(t: ExecutionContext, before: readonly Entry[], after: readonly Entry[]): Promise<CapturePlan> {
  const rules = new RuleSet([]);
  const grounds = { restless: new Set<string>() };
  const changes = await Changes.between(await listing(t, before), await listing(t, after), rules, grounds);
  return makeDeltaPlan(changes, rules, await temporaryFolder(t), [apart('/srv/db')]);
}

const newer = { ctime: { seconds: 1_800_000_000, nanoseconds: 0 } };

test('a delta goes to the tree that its paths lie in, and so do whiteouts', async (t) => {
  const after = [
    directory('/'),
    directory('/srv', newer),
    directory('/srv/db', newer),
    entry('/srv/db/new', newer),
    entry('/srv/db-old'),
    entry('/z', newer),
  ];
  const plan = await delta(t, SERVER, after);
  t.deepEqual(read(plan), [
    ['image', ['/', '/srv', '/srv/db', '/z'], '/srv/a'],
    ['/srv/db', ['/', '/srv', '/srv/db', '/srv/db/new'], '/srv/db/t'],
  ]);
  t.deepEqual(plan.goneVolumes, []);
});

test('a volume whose folder is gone, or was replaced, is told: what was captured of it counts no more', async (t) => {
  const gone = await delta(t, SERVER, [directory('/'), entry('/z')]);
  t.deepEqual(gone.goneVolumes, [byteStringFromText('/srv/db')]);
  t.deepEqual(read(gone), [['image', ['/'], '/srv']]);
  const replaced = await delta(t, SERVER, [
    ...SERVER.slice(0, 3),
    entry('/srv/db', { ...newer, type: 'l' }),
    ...SERVER.slice(6),
  ]);
  t.deepEqual(replaced.goneVolumes, [byteStringFromText('/srv/db')]);
  t.deepEqual(read(replaced), [['image', ['/', '/srv', '/srv/db']]]);
});
