import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { Entry } from '../../src/listing/entry.ts';
import { comparePaths, isBelow, parentOf } from '../../src/listing/path.ts';
import { makePlan } from '../../src/listing/plan.ts';
import { type RuleInput, RuleSet } from '../../src/listing/rules.ts';
import type { Start } from '../../src/listing/scan.ts';
import { type Judged, Judgement } from '../../src/pipeline/judgement.ts';
import { canJudgeAsListed, Judging } from '../../src/pipeline/judging.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import type { Filesystem } from '../../src/source/filesystems.ts';
import { Reach } from '../../src/source/reach.ts';
import { batches, directory, entry } from '../helpers/entries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** @param number of its device. */
function mounted(mountPoint: string, number: number, more: Partial<Filesystem> = {}): Filesystem {
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
    ...more,
  };
}

/** A server: the paths that it has, and its mounts. What is mounted with the root's number shows the root's files. */
interface Server {
  readonly paths: readonly Entry[];
  readonly filesystems: readonly Filesystem[];
}

const NAMES = ['a', 'b', 'b-c', 'dev', 'root', 'x'];
const KINDS = ['included', 'included', 'bind', 'bind', 'loop', 'memory', 'hidden'] as const;

const mounting = fc.record({
  at: fc.nat({ max: 40 }),
  number: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom(...KINDS),
});

const server: fc.Arbitrary<Server> = fc
  .record({
    paths: fc.array(fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }), { maxLength: 40 }),
    mounts: fc.array(mounting, { maxLength: 5 }),
    inodes: fc.infiniteStream(fc.nat({ max: 5 })),
  })
  .map(({ paths, mounts, inodes }) => {
    const all = new Set<string>(['/']);
    for (const names of paths) for (const index of names.keys()) all.add(`/${names.slice(0, index + 1).join('/')}`);
    const sorted = [...all].map(byteStringFromText).sort(comparePaths);
    const directories = sorted.filter((path) => sorted.some((other) => isBelow(other, path)) || path === '/');
    const filesystems = [mounted('/', 1)];
    for (const [index, { at, number, kind }] of mounts.entries()) {
      const place = directories[at % directories.length] ?? byteStringFromText('/');
      if (kind !== 'hidden' && filesystemOf(filesystems, place)?.mountPoint === place) continue;
      filesystems.push(another(filesystems, place, { index, number, kind }));
    }
    const entries = sorted.map((path): Entry => {
      const device = filesystemOf(filesystems, path)?.id ?? 0;
      if (directories.includes(path)) return directory(path, { device });
      const inode = inodes.next().value ?? 0;
      return entry(path, inode < 3 ? { device, inode, links: 50, size: 700 } : { device, inode, size: 1000 });
    });
    return { paths: entries, filesystems };
  });

interface Wish {
  readonly index: number;
  readonly number: number;
  readonly kind: (typeof KINDS)[number];
}

function another(filesystems: readonly Filesystem[], place: ByteString, { index, number, kind }: Wish): Filesystem {
  const root = byteStringFromText(`/of its own ${index}`);
  if (kind === 'memory') {
    const source = byteStringFromText('tmpfs');
    return mounted(place, 50 + index, { verdict: 'memory', type: 'tmpfs', source, root });
  }
  if (kind !== 'loop') return mounted(place, number, { verdict: kind, root });
  // The directory around it, if that is no bind mount itself.
  const around = filesystemOf(filesystems, parentOf(place));
  if (around === undefined || around.verdict !== 'included' || around.mountPoint !== '/') {
    return mounted(place, number, { verdict: 'bind', root });
  }
  return mounted(place, around.id, { verdict: 'bind', root: parentOf(place) });
}

function filesystemOf(filesystems: readonly Filesystem[], path: ByteString): Filesystem | undefined {
  return filesystems
    .filter(({ mountPoint, verdict }) => verdict !== 'hidden' && (path === mountPoint || isBelow(path, mountPoint)))
    .toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
}

/** The directory that one shows: two that are the same are of one number and root. */
function inodeOf(filesystems: readonly Filesystem[], { path, device }: Entry): string {
  const mount = filesystemOf(filesystems, path);
  const base = mount === undefined || mount.mountPoint === '/' ? '' : mount.mountPoint;
  return `${device} ${(mount?.root ?? '/').replace(/^\/$/, '')}${path === '/' ? '' : path.slice(base.length)}`;
}

interface Find {
  readonly start: Start;
  readonly entries: readonly Entry[];
}

/** What the finds of a listing print, and those of single directories that follow them. */
function findsOf({ paths, filesystems }: Server, turned: readonly boolean[]): Find[] {
  const at = (path: ByteString): Entry[] => paths.filter((each) => each.path === path);
  const loops: ByteString[] = [];
  const included = filesystems.filter(({ verdict }) => verdict === 'included');
  const trees = included.map(({ mountPoint: path }, index): Find => {
    const found = at(path).flatMap((start) => foundIn(start, [], turned[index] === true));
    return { start: { path, what: 'filesystem' }, entries: found };
  });
  const alone = new Set([...loops, ...new Reach(filesystems).ways]);
  return [...trees, ...[...alone].map((path): Find => ({ start: { path, what: 'itself' }, entries: at(path) }))];

  /** `find START -xdev`: names in any order, each directory before what is in it, and none that it is in already. */
  function foundIn(start: Entry, above: readonly string[], reversed: boolean): Entry[] {
    const inode = inodeOf(filesystems, start);
    if (start.type === 'd' && above.includes(inode)) {
      loops.push(start.path);
      return [];
    }
    const children = paths.filter(({ path }) => path !== '/' && parentOf(path) === start.path);
    const inOrder = reversed ? children.toReversed() : children;
    const enters = (child: Entry): boolean => child.type === 'd' && child.device === start.device;
    return [
      start,
      ...inOrder.flatMap((child) => (enters(child) ? foundIn(child, [...above, inode], reversed) : [child])),
    ];
  }
}

/** As the pipeline makes them: what a bind mount shows again is left out, and what is mounted in it is not. */
function bindRules(filesystems: readonly Filesystem[]): RuleInput[] {
  const included = filesystems.filter(({ verdict }) => verdict === 'included').map(({ mountPoint }) => mountPoint);
  const binds = filesystems.filter(({ verdict }) => verdict === 'bind');
  return binds.map(({ mountPoint }) => ({
    level: 'source',
    action: 'exclude',
    pattern: `${mountPoint}/**`,
    reason: 'test',
    except: included.filter((path) => isBelow(path, mountPoint)),
  }));
}

const rule = fc.record<RuleInput>({
  level: fc.constantFrom('command line', 'profile', 'base'),
  action: fc.constantFrom('exclude', 'exclude', 'include'),
  pattern: fc
    .tuple(fc.array(fc.constantFrom(...NAMES, '*', '**'), { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/**'))
    .map(([names, end]) => `/${[...names, 'a'].slice(0, names.at(-1) === '**' ? undefined : -1).join('/')}${end}`),
  reason: fc.constant('test'),
});

/** As a listing has them: each path once. */
function inPathOrder(entries: readonly Entry[]): Entry[] {
  const byPath = new Map(entries.map((each) => [each.path, each]));
  return [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
}

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
  let asListed = 0;
  await fc.assert(
    fc.asyncProperty(
      server,
      fc.array(rule, { maxLength: 5 }),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      async (made, inputs, turned) => {
        const { filesystems } = made;
        const finds = findsOf(made, turned);
        const entries = inPathOrder(finds.flatMap((find) => find.entries));
        const rules = new RuleSet([...bindRules(filesystems), ...inputs]);
        const why = ['/a', '/b/x', '/none'].map(byteStringFromText);
        const grounds = { filesystems, rules, profiles: [], why };
        const inOrder = new Judgement(grounds);
        const walk = inOrder.walk(byteStringFromText('/'));
        for (const each of entries) walk.add(each);
        const sorted = told(inOrder.result([]));
        if (canJudgeAsListed(filesystems)) {
          asListed += 1;
          const judgement = new Judgement(grounds);
          const judging = new Judging(Promise.resolve(judgement), filesystems);
          const sinks = finds.map((find) => ({ sink: judging.begin(find.start), found: find.entries }));
          // All at once, an entry of each at a time.
          for (let at = 0; at < entries.length; at += 1) {
            for (const { sink, found } of sinks) if (found[at] !== undefined) await sink.add(found.slice(at, at + 1));
          }
          for (const { sink } of sinks) await sink.end();
          t.deepEqual(told(judgement.result([])), sorted);
        }
        run += 1;
        await mkdir(join(folder, String(run)));
        const plan = await makePlan(batches(...entries), rules, join(folder, String(run)));
        t.deepEqual(
          { ...sorted.capture, tarBytes: sorted.tarBytes },
          { entries: plan.entries, bytes: plan.bytes, excluded: plan.excluded, tarBytes: plan.tarBytes },
        );
      },
    ),
    { numRuns: 300 },
  );
  t.true(asListed > 150, `${asListed}`);
});

test('a judgement that never comes is told to who asks for it, and to nobody else', async (t) => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  t.teardown(() => process.off('unhandledRejection', hear));
  const judging = new Judging(Promise.reject(new Error('no rules')), [mounted('/', 1)]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { ready } = judging.begin({ path: byteStringFromText('/'), what: 'filesystem' });
  await t.throwsAsync(async () => ready, { message: 'no rules' });
  t.deepEqual(unheard, []);
});
