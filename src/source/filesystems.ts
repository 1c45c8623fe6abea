/** Which of a source's mounts hold its files, and why each of the others is left out. */

import { isBelow } from '../listing/path.ts';
import { type ByteString, printablePath } from '../printable.ts';
import { leadingParts, MountTree } from './mount-tree.ts';
import type { MountEntry } from './mountinfo.ts';
import { Originals, sameFilesystem } from './originals.ts';

type MountVerdict = 'included' | 'pseudo' | 'memory' | 'network' | 'bind' | 'removable' | 'hidden';

export interface Filesystem extends MountEntry {
  readonly verdict: MountVerdict;
  /** A sentence for people: why it is in or out. */
  readonly reason: string;
  /** Of a bind mount: where its files are taken. */
  readonly original?: ByteString;
}

const PSEUDO = new Set(
  `proc sysfs devtmpfs devpts devfs cgroup cgroup2 cpuset securityfs pstore debugfs tracefs configfs bpf mqueue hugetlbfs
  autofs binfmt_misc rpc_pipefs nfsd nsfs efivarfs fusectl selinuxfs smackfs usbfs usbdevfs sockfs pipefs futexfs
  inotifyfs eventpollfs vmblock vboxsf openpromfs xenfs ecryptfs_unlinked capifs oprofilefs ibm_auth`.split(/\s+/),
);
const MEMORY = new Set(['tmpfs', 'ramfs']);
const NETWORK = new Set(
  `nfs nfs4 cifs smb3 smbfs ncpfs afs coda ceph 9p virtiofs glusterfs lustre beegfs gpfs panfs davfs sshfs gfs gfs2 ocfs2
  fuse.sshfs fuse.glusterfs fuse.ceph fuse.s3fs fuse.davfs fuse.rclone`.split(/\s+/),
);
const REMOVABLE = new Set(['iso9660', 'udf', 'squashfs', 'cramfs', 'romfs', 'erofs']);

/** They show directories that lie on other filesystems, where what is written to them lies too: a running container's root. */
const OVERLAYS = new Set(['overlay', 'overlayfs', 'aufs', 'unionfs', 'fuse.fuse-overlayfs']);

/** Filesystem types served by a program that nevertheless hold a disk's files. */
const FUSE_ON_DISK = new Set(['fuseblk', 'fuse.ntfs-3g', 'fuse.ntfs', 'fuse.exfat', 'fuse.unionfs', 'fuse.mergerfs']);

/** A filesystem within another within another needs one more look each; a table of nobody's must come to an end. */
const MOST_LOOKS = 10;

/**
 * Judges every mount; the answer is in the kernel's order. Of mounts that show the same files those are taken that do not lie
 * below a bind mount, and which are bind mounts is known only once all are judged: then they are judged again.
 * @param isLeftOut whether the files at a place are not taken anyway: then another place that shows them is.
 */
export function classifyMounts(
  mounts: readonly MountEntry[],
  isLeftOut: (path: ByteString) => boolean = () => false,
): Filesystem[] {
  const tree = new MountTree(mounts);
  let binds = new Set<ByteString>();
  for (let looks = 1; ; looks += 1) {
    const judged = judgeAll(mounts, tree, binds, isLeftOut);
    const found = new Set(judged.flatMap(({ verdict, mountPoint }) => (verdict === 'bind' ? [mountPoint] : [])));
    if (looks === MOST_LOOKS || sameMembers(found, binds)) return judged;
    binds = found;
  }
}

function sameMembers(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean {
  return a.size === b.size && [...a].every((member) => b.has(member));
}

function judgeAll(
  mounts: readonly MountEntry[],
  tree: MountTree,
  binds: ReadonlySet<ByteString>,
  isLeftOut: (path: ByteString) => boolean,
): Filesystem[] {
  const included = new Originals();
  const judged = new Map<MountEntry, Filesystem>();
  for (const mount of inOrder(mounts, tree, binds)) {
    const filesystem = judge(mount, tree, (bind) => included.placesOf(bind, tree).find((path) => !isLeftOut(path)));
    judged.set(mount, filesystem);
    if (filesystem.verdict === 'included') included.add(mount);
  }
  return mounts.flatMap((mount) => judged.get(mount) ?? []);
}

/**
 * The root filesystem is judged first and then those that show more of theirs, so that a bind mount is told from what it
 * shows whichever was mounted earlier.
 */
function inOrder(mounts: readonly MountEntry[], tree: MountTree, binds: ReadonlySet<ByteString>): MountEntry[] {
  const root = tree.at('/' as ByteString);
  const ranked = mounts.map((mount) => ({ mount, rank: rankOf(mount, root), below: Number(liesBelow(mount, binds)) }));
  ranked.sort((a, b) => a.rank - b.rank || a.mount.root.length - b.mount.root.length || a.below - b.below);
  return ranked.map(({ mount }) => mount);
}

/** Last comes what shows more of the root's disk than `/` does: the system lives in the places it has below `/` (ostree). */
function rankOf(mount: MountEntry, root: MountEntry | undefined): number {
  if (mount.mountPoint === '/') return 0;
  return root !== undefined && showsAround(mount, root) ? 2 : 1;
}

/** Whether a mount shows the directory that the other shows, and what is around it. */
export function showsAround(mount: MountEntry, other: MountEntry): boolean {
  return isBelow(other.root, mount.root) && sameFilesystem(mount, other);
}

function liesBelow({ mountPoint }: MountEntry, places: ReadonlySet<ByteString>): boolean {
  if (places.size === 0) return false;
  for (const part of leadingParts(mountPoint)) if (part !== mountPoint && places.has(part)) return true;
  return false;
}

/**
 * Directories whose own attributes are new at each look: where filesystems are mounted that the kernel makes or keeps in
 * memory, and where a listing found that the kernel makes the directory. Their times say nothing of the server.
 */
export function restlessPaths(
  filesystems: readonly Filesystem[],
  { places }: { readonly places: Iterable<ByteString> },
): ReadonlySet<ByteString> {
  const restless = filesystems.filter((mount) => mount.verdict === 'pseudo' || mount.verdict === 'memory');
  return new Set([...restless.map((mount) => mount.mountPoint), ...places]);
}

function judge(
  mount: MountEntry,
  tree: MountTree,
  originalOf: (mount: MountEntry) => ByteString | undefined,
): Filesystem {
  const visible = tree.at(mount.mountPoint);
  if (visible !== mount) {
    const by = visible === undefined ? 'another mount' : `${visible.type} on ${printablePath(visible.mountPoint)}`;
    return { ...mount, verdict: 'hidden', reason: `hidden under ${by}` };
  }
  // A live system's own root is one, and there is no other to take.
  if (OVERLAYS.has(mount.type) && mount.mountPoint !== '/') {
    return {
      ...mount,
      verdict: 'bind',
      reason: `${mount.type}: shows directories again that lie on other filesystems`,
    };
  }
  const byType = judgeType(mount.type);
  if (byType !== undefined) return { ...mount, ...byType };
  const original = originalOf(mount);
  if (original !== undefined) {
    const reason = `bind mount: shows ${printablePath(original)} again`;
    return { ...mount, verdict: 'bind', reason, original };
  }
  return { ...mount, verdict: 'included', reason: `${mount.type} on ${printablePath(mount.source)}` };
}

function judgeType(type: string): { verdict: MountVerdict; reason: string } | undefined {
  if (PSEUDO.has(type)) return { verdict: 'pseudo', reason: `${type} is made by the kernel` };
  if (MEMORY.has(type)) return { verdict: 'memory', reason: `${type} lives in memory` };
  if (NETWORK.has(type)) return { verdict: 'network', reason: `${type} belongs to another server` };
  if (REMOVABLE.has(type)) return { verdict: 'removable', reason: `${type} is a read-only medium or image` };
  if (type.startsWith('fuse.') && !FUSE_ON_DISK.has(type)) {
    return { verdict: 'network', reason: `${type} is served by a program` };
  }
  return undefined;
}
