import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BlindSpots } from '../../../src/listing/blind-spots.ts';
import { Changes } from '../../../src/listing/changes.ts';
import type { Entry, EntryType } from '../../../src/listing/entry.ts';
import { comparePaths } from '../../../src/listing/path.ts';
import { RuleSet } from '../../../src/listing/rules.ts';
import { type Listing, ListingWriter } from '../../../src/listing/storage.ts';
import type { ByteString } from '../../../src/printable.ts';
import { accountForPaths } from '../../../src/report/receipt/account.ts';
import { CaptureLogWriter } from '../../../src/report/receipt/capture-log.ts';
import { ComplaintLogWriter } from '../../../src/report/receipt/complaint-log.ts';
import type { ReceiptLine } from '../../../src/report/receipt/form.ts';
import { MOVING } from '../../../src/report/receipt/reasons.ts';
import { TarMessages } from '../../../src/tar/messages.ts';
import { directory, entry } from '../../helpers/entries.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

async function listing(t: ExecutionContext, entries: Entry[]): Promise<Listing> {
  const writer = new ListingWriter(await temporaryFolder(t), 'test');
  await writer.add(entries);
  return writer.finish();
}

interface Story {
  readonly first: Entry[];
  readonly before?: Entry[];
  readonly after: Entry[];
  readonly layers: readonly (readonly string[])[];
  /** Words of tar, by layer. */
  readonly said?: readonly (readonly string[])[];
  readonly complaints?: readonly string[];
  /** By layer. */
  readonly hidden?: readonly (readonly string[])[];
  /** What counts as moved at the last look, whatever the listings say. */
  readonly suspects?: readonly string[];
  /** What was asked for and is not in the layer, by layer, after what is. */
  readonly lost?: readonly (readonly string[])[];
  /** Of what is captured, by layer, where it is not that of the first listing; lines then have their types. */
  readonly types?: readonly Readonly<Record<string, EntryType>>[];
}

/** Paths with their verdicts, layers and reasons: `/a captured 0`. */
async function account(t: ExecutionContext, story: Story): Promise<string[]> {
  const folder = await temporaryFolder(t);
  const logs = story.layers.map((paths, number) => {
    const log = new CaptureLogWriter(join(folder, String(number)));
    const lost = story.lost?.[number] ?? [];
    for (const path of ([...paths, ...lost] as ByteString[]).sort(comparePaths)) {
      const listed = [...story.first, ...story.after].find((item) => item.path === path)?.type;
      const type = story.types?.[number]?.[path] ?? listed ?? 'f';
      if (lost.includes(path)) log.lose({ path, lost: 'not delivered' });
      else log.add({ path, type, digest: undefined, hardLink: undefined, fixes: [], offset: 0 });
    }
    log.close();
    const said = new ComplaintLogWriter(join(folder, `${number}.said`));
    const messages = new TarMessages((complaint) => said.add(complaint));
    for (const line of story.said?.[number] ?? []) messages.push(Buffer.from(`tar: ${line}\n`));
    const complaints = said.end();
    const whiteouts = (story.hidden?.[number] ?? []).map((path) => path as ByteString);
    return { file: log.file, complaints, whiteouts };
  });
  const rules = new RuleSet([{ level: 'base', action: 'exclude', pattern: '/skip', reason: 'no' }]);
  const streamed = await listing(t, story.first);
  const before = story.before === undefined ? streamed : await listing(t, story.before);
  const blindSpots = new BlindSpots(story.complaints ?? []);
  const grounds = { restless: new Set<string>(), suspects: new Set(story.suspects), blindSpots };
  const lastChanges = await Changes.between(before, await listing(t, story.after), rules, grounds);
  const lines: ReceiptLine[] = [];
  for await (const batch of accountForPaths({ streamed, lastChanges, rules, logs, volumes: [] })) lines.push(...batch);
  return lines.map(({ path, type, verdict, layer, rule, reason }) =>
    [path, ...(story.types === undefined ? [] : [type]), verdict, layer ?? rule, reason]
      .filter((part) => part !== undefined)
      .join(' '),
  );
}

test('every path has one line, and the topmost layer that holds it', async (t) => {
  const first = [directory('/'), entry('/a'), entry('/b'), entry('/c'), directory('/skip'), entry('/skip/x')];
  t.deepEqual(
    await account(t, {
      first,
      after: first,
      layers: [['/', '/a', '/c'], ['/', '/c'], ['/']],
      said: [['./b: Cannot open: no']],
    }),
    [
      '/ captured 2',
      '/a captured 0',
      '/b unreadable Cannot open: no',
      '/c captured 1',
      '/skip left-out base:/skip',
      '/skip/x left-out base:/skip',
    ],
  );
});

test('what was taken for holes until the last look has no fault: it came too late', async (t) => {
  const size = 2 * 1024 ** 3;
  const first = [directory('/'), entry('/late', { size, blocks: 1 })];
  const after = [directory('/'), entry('/late', { size, blocks: size / 512 })];
  t.deepEqual(await account(t, { first, after, layers: [['/']] }), ['/ captured 0', `/late unreadable ${MOVING}`]);
});

test('what moved, vanished, came late or was read in part', async (t) => {
  const first = [directory('/'), entry('/gone'), entry('/left'), entry('/moves'), entry('/short'), entry('/zeros')];
  const before = [directory('/'), entry('/late'), entry('/moves'), entry('/short'), entry('/zeros')];
  const after = [directory('/'), entry('/late'), entry('/moves', { size: 99 }), entry('/short'), entry('/zeros')];
  const layers = [
    ['/', '/gone', '/left', '/moves', '/short', '/zeros'],
    ['/', '/late', '/moves'],
  ];
  const hidden = [[], ['/gone']];
  t.deepEqual(
    await account(t, {
      first,
      before,
      after,
      layers,
      hidden,
      said: [
        [
          './zeros: Warning: Read error at byte 0, while reading 9 bytes: Input/output error',
          './short: File shrank by 5 bytes; padding with zeros',
          './late: Cannot open: no',
        ],
        ['./moves: File shrank by 7 bytes; padding with zeros'],
      ],
    }),
    [
      '/ captured 1',
      '/gone vanished',
      '/late captured 1',
      '/left changed 0 gone since',
      '/moves changed 1 File shrank by 7 bytes; padding with zeros',
      '/short changed 0 Read error, for it is as it was: File shrank by 5 bytes; padding with zeros',
      '/zeros changed 0 Read error at byte 0, while reading 9 bytes: Input/output error',
    ],
  );
});

test('what a later find could not see is accounted for as what was captured of it', async (t) => {
  const first = [directory('/'), directory('/d'), entry('/d/read'), entry('/d/unread')];
  const after = [directory('/'), directory('/d')];
  const complaints = ["find: '/d': Input/output error"];
  t.deepEqual(await account(t, { first, after, layers: [['/', '/d', '/d/read']], complaints }), [
    '/ captured 0',
    '/d changed 0 find could not look into it: Input/output error',
    '/d/read changed 0 find could not look at it again',
    '/d/unread unreadable find could not look at it again',
  ]);
});

test('what no find could look at has a line, where it would be captured', async (t) => {
  const first = [directory('/'), entry('/a'), directory('/closed'), directory('/skip'), directory('/skip/d')];
  const complaints = [
    "find: '/zzz': Structure needs cleaning",
    "find: '/a\\nb: c': Input/output error",
    "find: '/closed': Permission denied",
    "find: '/skip/d': Input/output error",
    "find: '/skip/x': Input/output error",
  ];
  t.deepEqual(await account(t, { first, after: first, layers: [['/', '/a', '/closed']], complaints }), [
    '/ captured 0',
    '/a captured 0',
    '/a\nb: c unreadable find could not look at it: Input/output error',
    '/closed changed 0 find could not look into it: Permission denied',
    '/skip left-out base:/skip',
    '/skip/d left-out base:/skip',
    '/skip/x left-out base:/skip',
    '/zzz unreadable find could not look at it: Structure needs cleaning',
  ]);
});

test('what was captured and then hidden, for a rule came to leave it out or something else came there', async (t) => {
  const first = [directory('/'), entry('/a'), entry('/d'), entry('/skip'), entry('/z')];
  const after = [directory('/'), entry('/a'), directory('/d'), entry('/d/in'), directory('/skip'), entry('/z')];
  t.deepEqual(
    await account(t, {
      first,
      after,
      layers: [
        ['/', '/a', '/d', '/skip', '/z'],
        ['/', '/d', '/d/in'],
        ['/', '/d'],
      ],
      hidden: [[], ['/d', '/skip'], ['/d/in']],
      types: [{}, { '/d': 'd' }, { '/d': 'd' }],
    }),
    [
      '/ d captured 2',
      '/a f captured 0',
      '/d d changed 2',
      '/d/in f unreadable it came, or became something else, while it was captured',
      '/skip d left-out base:/skip it became so while it was captured',
      '/z f captured 0',
    ],
  );
});

test('what came or became something else between the last looks, and was never read, is told as moving', async (t) => {
  const before = [directory('/'), directory('/d')];
  const after = [directory('/'), directory('/d'), entry('/d/in'), entry('/new')];
  t.deepEqual(
    await account(t, {
      first: before,
      after,
      layers: [['/', '/d']],
      said: [['./new: Cannot open: Permission denied', './d/in: Cannot stat: Not a directory']],
    }),
    [
      '/ captured 0',
      '/d captured 0',
      '/d/in unreadable it came, or became something else, while it was captured',
      '/new unreadable Cannot open: Permission denied',
    ],
  );
});

test('of a disk that dies, every file of zeros is told, however many there are, and in whatever order', async (t) => {
  const names = Array.from({ length: 3000 }, (_, number) => `/f${String(number).padStart(4, '0')}`);
  const first = [directory('/'), ...names.map((name) => entry(name))];
  const trouble = names.flatMap((name) => [
    `.${name}: Warning: Read error at byte 0, while reading 9 bytes: Input/output error`,
    `.${name}: Warning: Cannot fgetxattr: Input/output error`,
  ]);
  for (const said of [trouble, trouble.toReversed()]) {
    const lines = await account(t, { first, after: first, layers: [['/', ...names]], said: [said] });
    t.is(lines.filter((line) => /^\S+ changed 0 Read error at byte 0/.test(line)).length, names.length);
  }
});

test('a filesystem without extended attributes is no trouble of its files', async (t) => {
  const calls = ['flistxattr', 'llistxattrat', 'fgetxattr', 'lgetxattrat', 'llistxattr'];
  const said = calls.map((call) => `./a: Warning: Cannot ${call}: Operation not supported`);
  const first = [directory('/'), entry('/a')];
  t.deepEqual(await account(t, { first, after: first, layers: [['/', '/a']], said: [said] }), [
    '/ captured 0',
    '/a captured 0',
  ]);
  const other = ['./a: Warning: Cannot flistxattr: Permission denied'];
  t.is(
    (await account(t, { first, after: first, layers: [['/', '/a']], said: [other] }))[1],
    '/a changed 0 Cannot flistxattr: Permission denied',
  );
});

test('what a delta asked for and did not get is no longer as it is in the image, and that is a read error', async (t) => {
  const names = ['/again', '/dir', '/dir/in', '/early', '/linked', '/moving', '/quiet', '/torn'];
  const first = [directory('/'), ...names.map((name) => (name === '/dir' ? directory(name) : entry(name)))];
  const after = first.map((item) => (item.path === '/moving' || item.path === '/torn' ? { ...item, size: 9 } : item));
  const stale = 'Read error: a newer state was asked for and did not come';
  t.deepEqual(
    await account(t, {
      first,
      after: after.filter(({ path }) => path !== '/early'),
      layers: [['/', ...names], ['/', '/quiet'], ['/again']],
      lost: [[], ['/again', '/dir', '/early', '/linked', '/moving', '/torn']],
      said: [
        ['./quiet: Warning: Read error at byte 0, while reading 9 bytes: x'],
        [
          './again: Cannot open: Input/output error',
          './dir: Cannot open: Input/output error',
          './torn: Cannot open: Input/output error',
        ],
      ],
    }),
    [
      '/ captured 1',
      '/again captured 2',
      `/dir changed 0 ${stale}: Cannot open: Input/output error`,
      '/dir/in captured 0',
      '/early changed 0 gone since',
      `/linked changed 0 ${stale}: not delivered`,
      '/moving changed 0',
      '/quiet captured 1',
      `/torn changed 0 ${stale}: Cannot open: Input/output error`,
    ],
  );
});

test('what came and went between the looks is told where the image has it', async (t) => {
  const first = [directory('/'), entry('/b')];
  t.deepEqual(
    await account(t, {
      first,
      after: first,
      layers: [
        ['/', '/b'],
        ['/', '/a', '/gone', '/late/x', '/late', '/seen', '/z'],
        ['/', '/y'],
      ],
      types: [{}, { '/late': 'd', '/a': 'l' }],
      hidden: [[], [], ['/gone']],
      complaints: ["find: '/seen': Input/output error", "find: '/t': Input/output error"],
    }),
    [
      '/ d captured 2',
      '/a l changed 1 gone since',
      '/b f captured 0',
      '/late d changed 1 gone since',
      '/late/x f changed 1 gone since',
      '/seen f changed 1 find could not look into it: Input/output error',
      '/t U unreadable find could not look at it: Input/output error',
      '/y f changed 2 gone since',
      '/z f changed 1 gone since',
    ],
  );
});

test('what became something else after the last round is told as what the image has', async (t) => {
  const first = [directory('/'), directory('/d'), entry('/d/x'), entry('/folder'), entry('/skip'), entry('/socket')];
  const after = [directory('/'), entry('/d', { inode: 2, type: 'l' }), directory('/folder'), directory('/skip')];
  const types: Record<string, EntryType>[] = [{}];
  const layers = [first.map(({ path }): string => path)];
  const socket = entry('/socket', { type: 's' });
  t.deepEqual(await account(t, { first, after: [...after, socket], layers, types }), [
    '/ d captured 0',
    '/d d changed 0 it became something else since',
    '/d/x f changed 0 gone since',
    '/folder f changed 0 it became something else since',
    '/skip f changed 0 it became something else since',
    '/socket f changed 0 it became something else since',
  ]);
});

test('what lies below a name that is no directory any more is not in the image', async (t) => {
  const first = [directory('/'), directory('/d'), directory('/d/e'), entry('/d/e/x'), entry('/d.x')];
  const after = [directory('/'), entry('/d'), entry('/d.x')];
  const types: Record<string, EntryType>[] = [{}, { '/d': 'f' }];
  const layers = [first.map(({ path }): string => path), ['/', '/d']];
  t.deepEqual(await account(t, { first, before: after, after, layers, types }), [
    '/ d captured 1',
    '/d f captured 1',
    '/d/e d vanished',
    '/d/e/x f vanished',
    '/d.x f captured 0',
  ]);
});

for (const type of ['f', 'l'] as const) {
  test(`what lay below a directory that was ${type === 'f' ? 'a file' : 'a link'} for one round is not in the image`, async (t) => {
    const first = [directory('/'), directory('/d'), directory('/d/e'), entry('/d/e/x'), entry('/d/y'), entry('/d.x')];
    const after = [directory('/'), directory('/d'), directory('/d/e'), entry('/d/y'), entry('/d.x')];
    const types: Record<string, EntryType>[] = [{ '/d': 'd' }, { '/d': type }, { '/d': 'd', '/d/e': 'd' }];
    const layers = [first.map(({ path }): string => path), ['/', '/d'], ['/', '/d', '/d/e']];
    t.deepEqual(await account(t, { first, before: after, after, layers, types }), [
      '/ d captured 2',
      '/d d captured 2',
      '/d/e d captured 2',
      '/d/e/x f vanished',
      "/d/y f unreadable the source's tar did not deliver it, and no reason is known",
      '/d.x f captured 0',
    ]);
  });
}

test('what a rule came to leave out after the last round is in the image as it was', async (t) => {
  const first = [directory('/'), entry('/holes')];
  const after = [directory('/'), entry('/holes', { size: 2 * 1024 ** 3, inode: 7 })];
  t.deepEqual(await account(t, { first, after, layers: [['/', '/holes']] }), ['/ captured 0', '/holes changed 0']);
});

test('without a round to fetch it again, what was read in part or not at all is no moving file', async (t) => {
  const first = [directory('/'), entry('/link'), entry('/mapped'), entry('/zeros')];
  t.deepEqual(
    await account(t, {
      first,
      after: first,
      layers: [['/', '/mapped', '/zeros']],
      lost: [['/link']],
      said: [['./zeros: File shrank by 5 bytes; padding with zeros']],
      suspects: ['/link', '/mapped', '/zeros'],
    }),
    [
      '/ captured 0',
      "/link unreadable the source's tar did not deliver it, and no reason is known",
      '/mapped changed 0',
      '/zeros changed 0 Read error, for it is as it was: File shrank by 5 bytes; padding with zeros',
    ],
  );
});
