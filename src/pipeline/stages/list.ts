/** Lists the included filesystems of a source, one `find` each, and what these leave out that is no filesystem. */
import pLimit from 'p-limit';
import { P2cError } from '../../errors.ts';
import type { Start } from '../../listing/scan.ts';
import { type Listing, ListingWriter } from '../../listing/storage.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import { readFilesystems } from '../../source/facts.ts';
import { Reach } from '../../source/reach.ts';
import { allOrNone } from '../all-or-none.ts';
import type { Tell } from '../stage.ts';
import { type EntrySink, type FindSink, Finds, type ListInput } from './finds.ts';
import { judgeUnentered, type Unentered } from './unentered.ts';

/** What the finds of a listing told beside its entries. */
export interface Scan {
  /** Milliseconds since 1970, here, when its finds began. */
  readonly startedAt: number;
  /** Device of each filesystem, by where it is mounted. */
  readonly devices: ReadonlyMap<ByteString, number>;
  /** Directories that the kernel makes anew at each look, where a snapshot of a btrfs lacks a subvolume. */
  readonly places: ReadonlySet<ByteString>;
  /** Directories over which something was mounted meanwhile that is left out: no trouble, but what lay in them was not seen. */
  readonly covered: ReadonlySet<ByteString>;
  /** Of its finds. */
  readonly starts: readonly Start[];
  /** What a tar of all of it would be, before any rule. */
  readonly tarBytes: number;
  /** What find could not look at, in its own words: blind spots. Files that vanished meanwhile are not among them. */
  readonly problems: readonly string[];
}

export interface ScannedListing extends Scan {
  readonly listing: Listing;
}

/** Finds at the same time: several disks are read at once, and on one disk the second waits a little longer. */
const FINDS = 4;

/** A command each. Container engines keep an image in each of thousands, and a snapshot is one too. */
const SUBVOLUMES = 1000;
const TOO_MANY = `more than ${SUBVOLUMES} subvolumes are not mounted; leave some out with --exclude`;

const UNKNOWN = 'it is of another device, and the table of mounts does not have it';

/** Each is looked at once more; many are no moment's mounts. */
const ODD = 100;

/** @throws P2cError where a find fails as a whole. */
export async function listFilesystems(input: ListInput, directory: string, tell: Tell): Promise<ScannedListing> {
  const writer = new ListingWriter(directory, 'listing');
  // What came before a link was lost comes again, and the listing keeps the later of two entries of a path.
  const sink: FindSink = { add: (entries) => writer.add(entries), end: async () => {} };
  const scan = await scanFilesystems(input, { begin: () => sink }, tell);
  return { ...scan, listing: await writer.finish() };
}

/** @throws P2cError where a find fails as a whole; the others are then ended, and waited for. */
export async function scanFilesystems(input: ListInput, sink: EntrySink, tell: Tell): Promise<Scan> {
  const startedAt = input.begun?.startedAt ?? Date.now();
  const failed = new AbortController();
  const signal = input.signal === undefined ? failed.signal : AbortSignal.any([input.signal, failed.signal]);
  const finds = new Finds({ ...input, signal }, sink, tell);
  const limit = pLimit(FINDS);
  const each: ForEach = (items, act) =>
    allOrNone(
      items.map((item) => limit(() => act(item))),
      (error) => failed.abort(error),
    );
  const included = input.facts.filesystems.filter((mount) => mount.verdict === 'included');
  await each(included, ({ mountPoint }) => finds.list({ path: mountPoint, what: 'filesystem' }));
  await input.begun?.giveUp();
  await listUnentered(input, finds, each);
  // Each layer has to have the directories above what it holds.
  const alone = new Set([...new Reach(input.facts.filesystems).ways, ...finds.loops]);
  await each([...alone], (path) => finds.list({ path, what: 'itself' }));
  const { tarBytes, problems, devices, places, covered, starts } = finds;
  return { startedAt, tarBytes, problems, devices, places, covered, starts };
}

/** A few at a time. */
type ForEach = <Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>) => Promise<unknown>;

/** Subvolumes that are not mounted, those within them, and so on. They belong to the filesystem around them. */
async function listUnentered({ session, facts }: ListInput, finds: Finds, each: ForEach): Promise<void> {
  const taken = new Set(
    facts.filesystems.flatMap(({ verdict, mountPoint }) => (verdict === 'included' ? [mountPoint] : [])),
  );
  let room = SUBVOLUMES;
  const changed = new Set<ByteString>();
  for (let left = finds.takeUnentered(); left.length > 0; left = finds.takeUnentered()) {
    const now = (await readFilesystems(session)).map((mount) =>
      // Also a bind mount of what the rules leave out.
      mount.verdict === 'bind' && taken.has(mount.mountPoint) ? { ...mount, verdict: 'included' as const } : mount,
    );
    const judged = judgeUnentered(left, now, finds.roots);
    const { subvolumes, mounted, odd } = judged;
    for (const path of judged.places) finds.places.add(path);
    for (const path of judged.covered) finds.covered.add(path);
    for (const path of mounted) finds.unseen(path, 'a filesystem was mounted there meanwhile');
    const followed = subvolumes.slice(0, room);
    room -= followed.length;
    const looked = odd.slice(0, Math.min(room, ODD));
    room -= looked.length;
    for (const { path } of subvolumes.slice(followed.length)) finds.unseen(path, TOO_MANY);
    for (const { path } of odd.slice(looked.length)) finds.unseen(path, UNKNOWN);
    await each(followed, (subvolume) => listSubvolume(subvolume, finds, changed));
    await each(looked, (directory) => lookAgain(directory, finds));
  }
}

/** @param changed those in whose place something else was found; once is enough. */
async function listSubvolume(subvolume: Unentered, finds: Finds, changed: Set<ByteString>): Promise<void> {
  const { path, device } = subvolume;
  const root = await finds.list({ path, what: 'subvolume', device });
  if (root === undefined || root.device === device) return;
  if (changed.has(path)) finds.unseen(path, 'something else is there at each look');
  else finds.putBack({ ...subvolume, device: root.device, inode: root.inode });
  changed.add(path);
}

/** What was mounted for a moment is gone by now: then its directory is like any, and what lies in it was not seen. */
async function lookAgain({ path, around }: Unentered, finds: Finds): Promise<void> {
  const root = await finds.list({ path, what: 'directory', device: around });
  if (root !== undefined && root.device !== around) finds.unseen(path, UNKNOWN);
}

/**
 * What lies on a filesystem that is no longer mounted would look as if it had been removed.
 * @throws P2cError `source.mounts`.
 */
export function requireSameMounts(before: ScannedListing, after: ScannedListing): void {
  for (const [mountPoint, device] of before.devices) {
    if (after.devices.get(mountPoint) === device) continue;
    throw new P2cError(
      `the filesystem on ${printablePath(mountPoint)} was unmounted, or another mounted there, meanwhile`,
      {
        code: 'source.mounts',
        hint: 'mount it again, and run p2c again; where a stop unmounts it, leave the applications running: --no-stop',
      },
    );
  }
}
