import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BlindSpots } from '../../../src/listing/blind-spots.ts';
import { Changes } from '../../../src/listing/changes.ts';
import type { Entry } from '../../../src/listing/entry.ts';
import { RuleSet } from '../../../src/listing/rules.ts';
import { type Listing, ListingWriter } from '../../../src/listing/storage.ts';
import type { ByteString } from '../../../src/printable.ts';
import { accountForPaths } from '../../../src/report/receipt/account.ts';
import { CaptureLogWriter } from '../../../src/report/receipt/capture-log.ts';
import { ComplaintLogWriter } from '../../../src/report/receipt/complaint-log.ts';
import type { ReceiptLine } from '../../../src/report/receipt/form.ts';
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
}

/** Paths with their verdicts, layers and reasons: `/a captured 0`. */
async function account(t: ExecutionContext, story: Story): Promise<string[]> {
  const folder = await temporaryFolder(t);
  const logs = story.layers.map((paths, number) => {
    const log = new CaptureLogWriter(join(folder, String(number)));
    for (const path of paths)
      log.add({ path: path as ByteString, digest: undefined, hardLink: undefined, fixes: [], offset: 0 });
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
  const grounds = { restless: new Set<string>(), blindSpots: new BlindSpots(story.complaints ?? []) };
  const lastChanges = await Changes.between(before, await listing(t, story.after), rules, grounds);
  const lines: ReceiptLine[] = [];
  for await (const batch of accountForPaths({ streamed, lastChanges, rules, logs, volumes: [] })) lines.push(...batch);
  return lines.map(({ path, verdict, layer, rule, reason }) =>
    [path, verdict, layer ?? rule, reason].filter((part) => part !== undefined).join(' '),
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

test('what moved, vanished, came late or was read in part', async (t) => {
  const first = [directory('/'), entry('/gone'), entry('/moves'), entry('/short'), entry('/zeros')];
  const before = [directory('/'), entry('/late'), entry('/moves'), entry('/short'), entry('/zeros')];
  const after = [directory('/'), entry('/late'), entry('/moves', { size: 99 }), entry('/short'), entry('/zeros')];
  const layers = [
    ['/', '/gone', '/moves', '/short', '/zeros'],
    ['/', '/late', '/moves'],
  ];
  t.deepEqual(
    await account(t, {
      first,
      before,
      after,
      layers,
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
    }),
    [
      '/ captured 2',
      '/a captured 0',
      '/d changed 2',
      '/d/in unreadable it came, or became something else, while it was captured',
      '/skip left-out base:/skip it became so while it was captured',
      '/z captured 0',
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
