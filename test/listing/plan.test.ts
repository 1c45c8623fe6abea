import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Entry } from '../../src/listing/entry.ts';
import { PathListReader, tarNames } from '../../src/listing/path-list.ts';
import { type CapturePlan, makePlan, partBytesFor } from '../../src/listing/plan.ts';
import { type RuleInput, RuleSet, type SparsePolicy } from '../../src/listing/rules.ts';
import { batches, directory, entry } from '../helpers/entries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function read(plan: CapturePlan): string[][] {
  return plan.parts.map((part) => {
    const reader = new PathListReader(part.pathsFile);
    const paths: string[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      paths.push(`${next.path}${next.hardLinked ? ' (linked)' : ''}`);
    }
    return paths;
  });
}

const exclude = (pattern: string): RuleInput => ({ level: 'base', action: 'exclude', pattern, reason: 'test' });
const include = (pattern: string): RuleInput => ({ level: 'command line', action: 'include', pattern, reason: 'test' });

async function planOf(t: Parameters<typeof temporaryFolder>[0], entries: Entry[], rules: RuleInput[], bytes?: number) {
  return makePlan(
    batches(...entries),
    new RuleSet(rules),
    await temporaryFolder(t),
    bytes === undefined ? {} : { partBytes: bytes },
  );
}

test("a part's key tells how holes go out, where it has content", async (t) => {
  const keys = async (sparse: SparsePolicy, ...entries: Entry[]): Promise<string[]> => {
    const plan = await makePlan(batches(directory('/'), ...entries), new RuleSet([], sparse), await temporaryFolder(t));
    return plan.parts.map(({ key }) => key);
  };
  const file = entry('/a', { size: 9, blocks: 8 });
  t.notDeepEqual(await keys('pax', file), await keys('expand', file));
  t.deepEqual(await keys('skip', file), await keys('expand', file), 'a file that both take is the same');
  const empty = [entry('/a'), entry('/b', { type: 'l', size: 3 })];
  t.deepEqual(await keys('pax', ...empty), await keys('expand', ...empty));
});

test('the contents of a directory are left out and the directory stays', async (t) => {
  const plan = await planOf(
    t,
    [directory('/'), directory('/proc'), entry('/proc/1'), entry('/x')],
    [exclude('/proc/**')],
  );
  t.deepEqual(read(plan), [['/', '/proc', '/x']]);
  t.deepEqual(
    plan.excluded.map((item) => [item.rule.id, item.entries]),
    [['base:/proc/**', 1]],
  );
});

test('a directory that is left out comes back for what is included below it', async (t) => {
  const entries = [
    directory('/'),
    directory('/a'),
    directory('/a/b'),
    entry('/a/b/keep'),
    entry('/a/b/not'),
    directory('/z'),
  ];
  const plan = await planOf(t, entries, [exclude('/a'), include('/a/b/keep')]);
  t.deepEqual(read(plan), [['/', '/a', '/a/b', '/a/b/keep', '/z']]);
  t.is(plan.entries, 5);
  t.deepEqual(
    plan.excluded.map((item) => item.entries),
    [1],
  );
});

test('each part has the directories its entries lie in', async (t) => {
  const big = { size: 1_000_000 };
  const entries = [
    directory('/'),
    directory('/a'),
    directory('/a/b'),
    entry('/a/b/1', big),
    entry('/a/b/2', big),
    entry('/c', big),
  ];
  const plan = await planOf(t, entries, [], 1_100_000);
  t.deepEqual(read(plan), [
    ['/', '/a', '/a/b', '/a/b/1'],
    ['/', '/a', '/a/b', '/a/b/2'],
    ['/', '/c'],
  ]);
  t.is(plan.bytes, 3_000_000);
  t.is(plan.entries, 6);
});

test('the names of an inode stay in one part, and its content counts once', async (t) => {
  const linked = { size: 1_000_000, links: 2, inode: 7 };
  const entries = [
    directory('/'),
    directory('/a'),
    entry('/a/1', linked),
    entry('/b', { size: 1_000_000, inode: 8 }),
    directory('/c'),
    entry('/c/1', linked),
    entry('/d', { size: 1_000_000, inode: 9 }),
  ];
  const plan = await planOf(t, entries, [], 1_100_000);
  t.deepEqual(read(plan), [
    ['/', '/a', '/a/1 (linked)', '/c', '/c/1 (linked)'],
    ['/', '/b', '/c'],
    ['/', '/d'],
  ]);
  t.is(plan.bytes, 3_000_000);
});

test('tar is given relative names that cannot be options, and every byte of them', async (t) => {
  const plan = await planOf(t, [directory('/'), entry('/-rf'), entry('/a\nb'), entry('/ü')], []);
  const chunks: Buffer[] = [];
  for await (const chunk of tarNames(plan.parts[0]?.pathsFile ?? '')) chunks.push(chunk);
  t.is(Buffer.concat(chunks).toString('utf8'), './\0./-rf\0./a\nb\0./ü\0');
});

test("a tar that takes backslashes for escapes, as --unquote makes today's, finds names that hold some", async (t) => {
  const folder = await temporaryFolder(t);
  const plan = await planOf(t, [directory('/'), entry('/css\\normal.css'), entry('/x\\\\t')], []);
  for (const name of ['css\\normal.css', 'x\\\\t']) await writeFile(join(folder, name), 'here');
  const names: Buffer[] = [];
  for await (const chunk of tarNames(plan.parts[0]?.pathsFile ?? '', { unquotes: true })) names.push(chunk);
  const asked = ['--no-recursion', '--null', '--no-verbatim-files-from', '--unquote', '--files-from=-'];
  const listed = execFileSync('tar', ['-cf', '-', '--format=posix', ...asked], {
    cwd: folder,
    input: Buffer.concat(names),
  });
  t.true(listed.includes('./css\\normal.css\0'));
  t.true(listed.includes('./x\\\\t\0'));
});

test('parts grow so that there are at most 64', (t) => {
  const gib = 1024 ** 3;
  t.is(partBytesFor(10 * gib), gib);
  t.true((640 * gib) / partBytesFor(640 * gib) < 60);
});
