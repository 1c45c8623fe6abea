/**
 * What becomes of directories that a find printed and did not enter, for they are of another device and yet no mount
 * points. Most are subvolumes of a btrfs that nobody mounted: each is a device of its own, and `-xdev` stops at it.
 */
import { type Entry, inodeKey } from '../../listing/entry.ts';
import { comparePaths, isAtOrBelow } from '../../listing/path.ts';
import type { ByteString } from '../../printable.ts';
import type { Filesystem } from '../../source/filesystems.ts';

export interface Unentered extends Pick<Entry, 'path' | 'device' | 'inode'> {
  /** The device that the find was on. */
  readonly around: number;
}

export interface Judged {
  /** To be listed, in path order. */
  readonly subvolumes: readonly Unentered[];
  /** Filesystems with files, mounted since the table of mounts was read. */
  readonly mounted: readonly ByteString[];
  /** Where what is left out anyway was mounted since then: what lay there is not gone, it lies below that. */
  readonly covered: readonly ByteString[];
  /** Directories without content that the kernel makes at each look: their times are of that moment. */
  readonly places: readonly ByteString[];
  /** What they are is not known. */
  readonly odd: readonly Unentered[];
}

/** Of the root directory of each subvolume, and of the empty one that a snapshot has where a subvolume was (linux/fs/btrfs). */
const SUBVOLUME_ROOT = 256;
const SUBVOLUME_PLACE = 2;

/**
 * A directory that became a mount point meanwhile has all looks of a subvolume: automounted NFS, a container's overlay.
 * @param filesystems as they are mounted now.
 * @param known the inodes of what is listed already: a subvolume may also be seen from the one above it.
 */
export function judgeUnentered(
  unentered: readonly Unentered[],
  filesystems: readonly Filesystem[],
  known: ReadonlySet<string>,
): Judged {
  const mounts = filesystems.filter(({ verdict }) => verdict !== 'hidden');
  const seen = new Set(known);
  const subvolumes: Unentered[] = [];
  const mounted: ByteString[] = [];
  const covered: ByteString[] = [];
  const places: ByteString[] = [];
  const odd: Unentered[] = [];
  for (const each of [...unentered].sort((a, b) => comparePaths(a.path, b.path))) {
    const mount = innermost(mounts, each.path);
    if (mount?.mountPoint === each.path) {
      (mount.verdict === 'included' ? mounted : covered).push(each.path);
    } else if (mount?.type !== 'btrfs' || !isAnonymous(each.device) || !isOfSubvolumes(each)) {
      odd.push(each);
    } else if (each.inode === SUBVOLUME_PLACE) {
      places.push(each.path);
    } else if (mount.verdict === 'included' && !seen.has(inodeKey(each))) {
      seen.add(inodeKey(each));
      subvolumes.push(each);
    }
  }
  return { subvolumes, mounted, covered, places, odd };
}

function innermost(mounts: readonly Filesystem[], path: ByteString): Filesystem | undefined {
  const above = mounts.filter(({ mountPoint }) => isAtOrBelow(path, mountPoint));
  return above.sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
}

function isOfSubvolumes({ inode }: Unentered): boolean {
  return inode === SUBVOLUME_ROOT || inode === SUBVOLUME_PLACE;
}

/** Without a disk of its own: major number 0 (makedev(3): bits 8 to 19, and those from 32 on). */
function isAnonymous(device: number): boolean {
  return device < 2 ** 32 && ((device >>> 8) & 0xfff) === 0;
}
