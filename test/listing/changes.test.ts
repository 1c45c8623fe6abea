import { execFileSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { BlindSpots } from '../../src/listing/blind-spots.ts';
import { Changes, differs } from '../../src/listing/changes.ts';
import { type Entry, UNKNOWN_NANOSECONDS } from '../../src/listing/entry.ts';
import { PathListReader } from '../../src/listing/path-list.ts';
import { makeDeltaPlan } from '../../src/listing/plan.ts';
import { RuleSet } from '../../src/listing/rules.ts';
import { type Listing, ListingWriter } from '../../src/listing/storage.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import { whiteout } from '../../src/tar/whiteout.ts';
import { directory, entry } from '../helpers/entries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function listing(t: ExecutionContext, entries: Entry[]): Promise<Listing> {
  const writer = new ListingWriter(await temporaryFolder(t), 'test');
  await writer.add(entries);
  return writer.finish();
}

async function delta(
  t: ExecutionContext,
  before: Entry[],
  after: Entry[],
  rules = new RuleSet([]),
  restless: string[] = [],
) {
  const paths = new Set<string>(restless);
  const changes = await Changes.between(await listing(t, before), await listing(t, after), rules, { restless: paths });
  const plan = await makeDeltaPlan(changes, rules, await temporaryFolder(t));
  const parts = plan.parts.map((part) => {
    const reader = new PathListReader(part.pathsFile);
    const listed: string[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next()) listed.push(next.path);
    return { listed, whiteouts: part.whiteouts as readonly string[] };
  });
  return { changes, parts };
}

test('nothing changed: there is no part', async (t) => {
  const same = [directory('/'), entry('/a')];
  const { changes, parts } = await delta(t, same, same);
  t.true(changes.none);
  t.deepEqual(parts, []);
});

test('what changed comes with its directories, and what is gone is hidden in the layer that has its directory', async (t) => {
  const before = [
    directory('/'),
    directory('/a'),
    entry('/a/1'),
    entry('/a/2'),
    directory('/b'),
    entry('/b/gone'),
    directory('/c'),
    directory('/c/d'),
    entry('/c/d/e'),
  ];
  const after = [
    directory('/'),
    directory('/a'),
    entry('/a/1', { size: 9 }),
    entry('/a/2'),
    directory('/b'),
    directory('/c'),
  ];
  const { changes, parts } = await delta(t, before, after);
  t.deepEqual(changes.counts, { changed: 1, removed: 3 });
  t.deepEqual(parts, [{ listed: ['/', '/a', '/a/1', '/b', '/c'], whiteouts: ['/b/gone', '/c/d'] }]);
});

test('no layer hides more than whoever applies it can bear', async (t) => {
  const gone = Array.from({ length: 250_001 }, (_, number) => entry(`/d/${String(number).padStart(6, '0')}`));
  const { parts } = await delta(t, [directory('/'), directory('/d'), ...gone], [directory('/'), directory('/d')]);
  t.deepEqual(
    parts.map(({ listed, whiteouts }) => [listed, whiteouts.length]),
    [
      [['/', '/d'], 250_000],
      [['/', '/d'], 1],
    ],
  );
  t.deepEqual(parts[1]?.whiteouts, ['/d/250000']);
});

test('the last path of a listing can be gone too', async (t) => {
  const { parts } = await delta(t, [directory('/'), directory('/z'), entry('/z/z')], [directory('/'), directory('/z')]);
  t.deepEqual(parts, [{ listed: ['/', '/z'], whiteouts: ['/z/z'] }]);
});

for (const type of ['l', 'f'] as const) {
  test(`a directory that became ${type === 'l' ? 'a symbolic link' : 'a file'}: no whiteout lies below it`, async (t) => {
    const before = [directory('/'), directory('/a'), directory('/a/d'), entry('/a/d/e'), entry('/a/f'), entry('/b')];
    const after = [directory('/'), entry('/a', { type })];
    const { changes, parts } = await delta(t, before, after);
    t.deepEqual(changes.counts, { changed: 1, removed: 4 });
    t.deepEqual(parts, [{ listed: ['/', '/a'], whiteouts: ['/b'] }]);
  });
}

test('what was captured is hidden when something that is left out takes its place', async (t) => {
  const rules = new RuleSet([{ level: 'source', action: 'exclude', pattern: '/**', type: 's', reason: 'test' }]);
  const before = [directory('/'), entry('/a'), directory('/d'), entry('/d/e'), entry('/z')];
  const after = [directory('/'), entry('/a', { type: 's' }), entry('/d', { type: 's' }), entry('/z')];
  const { changes, parts } = await delta(t, before, after, rules);
  t.deepEqual(changes.counts, { changed: 0, removed: 3 });
  t.deepEqual(parts, [{ listed: ['/'], whiteouts: ['/a', '/d'] }]);
});

test('all names of an inode come again when one of them says that it changed', async (t) => {
  const linked = { links: 2, inode: 5 };
  const before = [directory('/'), entry('/a', linked), entry('/b'), entry('/c', linked)];
  const after = [directory('/'), entry('/a', { ...linked, size: 3 }), entry('/b'), entry('/c', linked)];
  const { parts } = await delta(t, before, after);
  t.deepEqual(
    parts.map((part) => part.listed),
    [['/', '/a', '/c']],
  );
});

test('what the rules leave out, and where the kernel mounts, is no change', async (t) => {
  const rules = new RuleSet([{ level: 'base', action: 'exclude', pattern: '/tmp/**', reason: 'test' }]);
  const before = [directory('/'), directory('/proc', { inode: 1 }), directory('/tmp'), entry('/tmp/x')];
  const after = [directory('/'), directory('/proc', { links: 99, inode: 2 }), directory('/tmp'), entry('/tmp/y')];
  const { changes } = await delta(t, before, after, rules, ['/proc']);
  t.true(changes.none);
});

test('what was left out as holes and is none at the second look comes, though nothing else of it moved', async (t) => {
  const size = 2 * 1024 ** 3;
  const before = [directory('/'), entry('/a', { size, blocks: 1 }), entry('/b', { size, blocks: 1 })];
  const after = [directory('/'), entry('/a', { size, blocks: size / 512 }), entry('/b', { size, blocks: 9 })];
  const { changes, parts } = await delta(t, before, after);
  t.deepEqual(changes.counts, { changed: 1, removed: 0 });
  t.deepEqual(parts, [{ listed: ['/', '/a'], whiteouts: [] }]);
  t.true((await delta(t, after, before)).changes.none, 'what was taken stays');
});

test('where the kernel makes a directory at each look, a new one is a change, and so is one in the place of something else', async (t) => {
  const before = [directory('/'), directory('/s'), directory('/s/old', { inode: 2 }), entry('/s/was')];
  const after = [
    directory('/'),
    directory('/s'),
    directory('/s/new', { inode: 2 }),
    directory('/s/old', { inode: 2, ctime: { seconds: 9, nanoseconds: 0 } }),
    directory('/s/was', { inode: 2 }),
  ];
  const { changes, parts } = await delta(t, before, after, undefined, ['/s/new', '/s/old', '/s/was']);
  t.deepEqual(changes.examples as string[], ['/s/new', '/s/was']);
  t.deepEqual(parts, [{ listed: ['/', '/s', '/s/new', '/s/was'], whiteouts: [] }]);
  const again = after.map((each) => ({ ...each, ctime: { seconds: 10, nanoseconds: 0 } }));
  const places = ['/', '/s', '/s/new', '/s/old', '/s/was'];
  t.true((await delta(t, after, again, undefined, places)).changes.none, 'once');
});

for (const [what, fields] of Object.entries({
  size: { size: 1 },
  mode: { mode: 0o600 },
  owner: { uid: 1 },
  group: { gid: 1 },
  inode: { inode: 99 },
  type: { type: 'd' },
  target: { target: 'x' as ByteString },
  mtime: { mtime: { seconds: 1_700_000_000, nanoseconds: 1 } },
  ctime: { ctime: { seconds: 1_700_000_001, nanoseconds: 0 } },
} satisfies Record<string, Partial<Entry>>)) {
  test(`another ${what} is a change`, (t) => {
    t.true(differs(entry('/a'), entry('/a', fields)));
  });
}

test('whiteouts are entries that tar reads, whatever the name', (t) => {
  for (const name of [
    '/a',
    '/d/b',
    `/${'x'.repeat(95)}`,
    `/${'y'.repeat(200)}/${'z'.repeat(99)}`,
    '/new\nline',
    '/\xff\xfe',
  ]) {
    const path = name as ByteString;
    const archive = Buffer.concat([whiteout(path), Buffer.alloc(1024)]);
    const listed = execFileSync('tar', ['-tf-', '--quoting-style=literal'], { input: archive }).toString('latin1');
    const slash = name.lastIndexOf('/');
    t.is(listed, `.${name.slice(0, slash + 1)}.wh.${name.slice(slash + 1)}\n`);
  }
});

test('a directory that became a file needs no whiteout for what was in it', async (t) => {
  const before = [directory('/'), directory('/a'), directory('/a/b'), entry('/a/b/c'), entry('/a-b'), entry('/z')];
  const after = [directory('/'), entry('/a', { inode: 99 })];
  const { changes, parts } = await delta(t, before, after);
  t.is(changes.counts.removed, 4);
  t.deepEqual(parts, [{ listed: ['/', '/a'], whiteouts: ['/a-b', '/z'] }]);
});

test('what became something that a rule leaves out is hidden, with all that was in it', async (t) => {
  const rules = new RuleSet([{ level: 'source', action: 'exclude', pattern: '/**', type: 's', reason: 'a socket' }]);
  const before = [directory('/'), directory('/a'), entry('/a/b'), entry('/c')];
  const after = [directory('/'), entry('/a', { type: 's' }), entry('/c', { type: 's' })];
  const { parts } = await delta(t, before, after, rules);
  t.deepEqual(parts, [{ listed: ['/'], whiteouts: ['/a', '/c'] }]);
});

test('a directory that is left out goes, and comes again, with what is taken below it', async (t) => {
  const rule = (action: 'exclude' | 'include', pattern: string) => ({
    level: 'command line' as const,
    action,
    pattern,
    reason: 'test',
  });
  const rules = new RuleSet([rule('exclude', '/x'), rule('include', '/x/y/keep'), rule('exclude', '/w')]);
  const rest = [directory('/'), directory('/a')];
  const way = [directory('/x'), directory('/x/other'), entry('/x/other/f'), directory('/x/y'), entry('/x/y/keep')];
  const gone = await delta(t, [...rest, ...way], rest, rules);
  t.deepEqual(gone.parts, [{ listed: ['/'], whiteouts: ['/x'] }]);
  t.deepEqual(gone.changes.gone.map(String), ['/x']);
  const asFile = await delta(t, [...rest, ...way], [...rest, entry('/x')], rules);
  t.deepEqual(asFile.parts, [{ listed: ['/'], whiteouts: ['/x'] }], 'a file that is left out, too');
  const half = await delta(t, [...rest, ...way], [...rest, directory('/x'), directory('/x/y')], rules);
  t.deepEqual(half.parts, [{ listed: ['/', '/x', '/x/y'], whiteouts: ['/x/y/keep'] }]);
  const changed = { mode: 0o700 };
  const mode = [directory('/w', changed), directory('/x'), directory('/x/other', changed), directory('/x/y', changed)];
  const after = [...rest, ...mode, entry('/x/other/f'), entry('/x/y/keep')];
  const moved = await delta(t, [...rest, directory('/w'), ...way], after, rules);
  t.deepEqual(moved.parts, [{ listed: ['/', '/x', '/x/y'], whiteouts: [] }]);
  t.deepEqual(moved.changes.counts, { changed: 1, removed: 0 });
  t.deepEqual(moved.changes.examples.map(String), ['/x/y']);
});

test('what a find could not see is not taken for gone', async (t) => {
  const before = [directory('/'), directory('/a'), entry('/a/b'), directory('/ab'), entry('/ab/c'), entry('/d')];
  const after = [directory('/'), directory('/a'), directory('/ab')];
  const removed = async (...complaints: string[]): Promise<readonly string[]> => {
    const [was, is] = [await listing(t, before), await listing(t, after)];
    const grounds = { restless: new Set<string>(), blindSpots: new BlindSpots(complaints) };
    return (await Changes.between(was, is, new RuleSet([]), grounds)).removed;
  };
  t.deepEqual(await removed(), ['/a/b', '/ab/c', '/d']);
  const grounds = { restless: new Set<string>(), blindSpots: new BlindSpots([], [byteStringFromText('/a')]) };
  const covered = await Changes.between(await listing(t, before), await listing(t, after), new RuleSet([]), grounds);
  t.deepEqual(covered.removed.map(String), ['/ab/c', '/d'], 'something lies over it');
  t.deepEqual(grounds.blindSpots.unseen, [], 'and that is no complaint');
  t.deepEqual(await removed("find: '/a': Input/output error"), ['/ab/c', '/d']);
  t.deepEqual(await removed('find: /a: Permission denied'), ['/ab/c', '/d']);
  t.deepEqual(await removed("find: '/ab/': Input/output error", "find: '/d': x"), ['/a/b'], 'a name with its slash');
  t.deepEqual(await removed("find: '/\\141': Input/output error"), ['/ab/c', '/d'], 'bytes as GNU programs write them');
  t.deepEqual(await removed("stat: can't stat '/a': I/O error"), ['/ab/c', '/d'], 'busybox');
  t.deepEqual(await removed("find: '/a\\303\\251': Input/output error"), ['/a/b', '/ab/c', '/d'], 'another name');
  for (const odd of ['find: /a\ufffd: Input/output error', 'find: something else', 'stat: cannot', '']) {
    t.deepEqual(await removed(odd), [], odd);
  }
});

test('with times of whole seconds, a file of the second in which the listing began is a suspect', async (t) => {
  const at = (path: string, seconds: number, nanoseconds: number): Entry =>
    entry(path, { ctime: { seconds, nanoseconds }, mtime: { seconds, nanoseconds } });
  const entries = [
    directory('/'),
    at('/before', 99, 0),
    at('/exact', 100, 5),
    at('/racy', 100, 0),
    at('/unknown', 101, UNKNOWN_NANOSECONDS),
  ];
  const [was, is] = [await listing(t, entries), await listing(t, entries)];
  const changed = async (racySince?: number): Promise<readonly string[]> => {
    const grounds = { restless: new Set<string>(), ...(racySince === undefined ? {} : { racySince }) };
    return (await Changes.between(was, is, new RuleSet([]), grounds)).examples;
  };
  t.deepEqual(await changed(100), ['/racy', '/unknown']);
  t.deepEqual(await changed(102), []);
  t.deepEqual(await changed(Number.NaN), [], 'a server that cannot tell the time');
  t.deepEqual(await changed(), []);
});
