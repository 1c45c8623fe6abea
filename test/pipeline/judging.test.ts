import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { Entry } from '../../src/listing/entry.ts';
import { comparePaths, isBelow, parentOf } from '../../src/listing/path.ts';
import { makePlan } from '../../src/listing/plan.ts';
import { type RuleInput, RuleSet } from '../../src/listing/rules.ts';
import { type Judged, Judgement } from '../../src/pipeline/judgement.ts';
import { canJudgeAsListed, Judging } from '../../src/pipeline/judging.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import type { Filesystem } from '../../src/source/filesystems.ts';
import { batches, directory, entry } from '../helpers/entries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function mounted(mountPoint: string, number: number): Filesystem {
  return {
    id: number,
    parent: 0,
    device: `8:${number}`,
    root: byteStringFromText('/'),
    mountPoint: byteStringFromText(mountPoint),
    type: 'ext4',
    source: byteStringFromText(`/dev/sda${number}`),
    verdict: 'included',
    readOnly: false,
    reason: 'test',
  };
}

/** A server: its entries in path order, and its mounts. What is mounted with the root's number shows the root's files. */
interface Server {
  readonly entries: readonly Entry[];
  readonly filesystems: readonly Filesystem[];
}

const NAMES = ['a', 'b', 'b-c', 'dev', 'root', 'x'];

const server: fc.Arbitrary<Server> = fc
  .record({
    paths: fc.array(fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }), { maxLength: 40 }),
    mounts: fc.array(fc.tuple(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 3 })), { maxLength: 3 }),
    inodes: fc.infiniteStream(fc.nat({ max: 5 })),
  })
  .map(({ paths, mounts, inodes }) => {
    const all = new Set<string>(['/']);
    for (const names of paths) for (const index of names.keys()) all.add(`/${names.slice(0, index + 1).join('/')}`);
    const sorted = [...all].map(byteStringFromText).sort(comparePaths);
    const directories = sorted.filter((path) => sorted.some((other) => isBelow(other, path)) || path === '/');
    const filesystems = [mounted('/', 1)];
    for (const [index, number] of mounts) {
      const place = directories[index % directories.length] ?? '/';
      if (!filesystems.some(({ mountPoint }) => mountPoint === place)) filesystems.push(mounted(place, number));
    }
    const entries = sorted.map((path): Entry => {
      const device = numberAt(filesystems, path);
      if (directories.includes(path)) return directory(path, { device });
      const inode = inodes.next().value ?? 0;
      return entry(path, inode < 3 ? { device, inode, links: 50, size: 700 } : { device, inode, size: 1000 });
    });
    return { entries, filesystems };
  });

function filesystemOf(filesystems: readonly Filesystem[], path: ByteString): Filesystem | undefined {
  return filesystems
    .filter(({ mountPoint }) => path === mountPoint || isBelow(path, mountPoint))
    .toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
}

function numberAt(filesystems: readonly Filesystem[], path: ByteString): number {
  return filesystemOf(filesystems, path)?.id ?? 0;
}

/** What `find START -xdev` prints: names in any order, each directory before what is in it. */
function found(entries: readonly Entry[], start: Entry, reversed: boolean): Entry[] {
  const children = entries.filter(({ path }) => path !== '/' && parentOf(path) === start.path);
  const inOrder = reversed ? children.toReversed() : children;
  const here = ({ device }: Entry): boolean => device === start.device;
  return [
    start,
    ...inOrder.flatMap((child) => (child.type === 'd' && here(child) ? found(entries, child, reversed) : [child])),
  ];
}

const rule = fc.record<RuleInput>({
  level: fc.constantFrom('command line', 'profile', 'base'),
  action: fc.constantFrom('exclude', 'exclude', 'include'),
  pattern: fc
    .tuple(fc.array(fc.constantFrom(...NAMES, '*', '**'), { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/**'))
    .map(([names, end]) => `/${[...names, 'a'].slice(0, names.at(-1) === '**' ? undefined : -1).join('/')}${end}`),
  reason: fc.constant('test'),
});

const told = ({ anatomy, capture: { tarBytes, ...capture }, ...rest }: Judged) => ({
  ...rest,
  capture,
  tarBytes,
  tops: anatomy.tops.toSorted((a, b) => comparePaths(a.path, b.path)),
  largest: anatomy.largest,
  hazards: anatomy.hazards,
});

test('what is judged as it is listed comes to the same as what is judged in order, and as the plan', async (t) => {
  const folder = await temporaryFolder(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      server,
      fc.array(rule, { maxLength: 5 }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      async ({ entries, filesystems }, inputs, turned) => {
        const rules = new RuleSet(inputs);
        const why = ['/a', '/b/x', '/none'].map(byteStringFromText);
        const grounds = { filesystems, rules, profiles: [], why };
        const inOrder = new Judgement(grounds);
        const walk = inOrder.walk(byteStringFromText('/'));
        for (const each of entries) walk.add(each);

        const asListed = new Judgement(grounds);
        t.true(canJudgeAsListed(filesystems));
        const judging = new Judging(Promise.resolve(asListed), filesystems);
        const finds = filesystems.map(({ mountPoint }, index) => {
          const start = entries.find(({ path }) => path === mountPoint);
          const sink = judging.begin({ path: mountPoint, what: 'filesystem' });
          return { sink, entries: start === undefined ? [] : found(entries, start, turned[index] === true) };
        });
        // All at once, an entry of each at a time.
        for (let at = 0; at < entries.length; at += 1) {
          for (const find of finds)
            if (find.entries[at] !== undefined) await find.sink.add(find.entries.slice(at, at + 1));
        }
        for (const { sink } of finds) await sink.end();

        const listed = told(asListed.result([]));
        t.deepEqual(listed, told(inOrder.result([])));
        run += 1;
        await mkdir(join(folder, String(run)));
        const plan = await makePlan(batches(...entries), rules, join(folder, String(run)));
        t.deepEqual(
          { ...listed.capture, tarBytes: listed.tarBytes },
          { entries: plan.entries, bytes: plan.bytes, excluded: plan.excluded, tarBytes: plan.tarBytes },
        );
      },
    ),
    { numRuns: 300 },
  );
});
