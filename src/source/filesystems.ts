/** Which of a source's mounts hold its files, and why each of the others is left out. */

import { isBelow } from '../listing/path.ts';
import { type ByteString, printablePath } from '../printable.ts';
import { leadingParts, MountTree } from './mount-tree.ts';
import type { MountEntry } from './mountinfo.ts';

type MountVerdict = 'included' | 'pseudo' | 'memory' | 'network' | 'bind' | 'removable' | 'hidden';

export interface Filesystem extends MountEntry {
  readonly verdict: MountVerdict;
  /** A sentence for people: why it is in or out. */
  readonly reason: string;
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

/**
 * Judges every mount; the answer is in the kernel's order. The root filesystem is judged first and then those that
 * show more of theirs, so that a bind mount is told from what it shows whichever was mounted earlier.
 */
export function classifyMounts(mounts: readonly MountEntry[]): Filesystem[] {
  const tree = new MountTree(mounts);
  const included = new Originals();
  const judged = new Map<MountEntry, Filesystem>();
  for (const mount of [...mounts].sort(byBreadth)) {
    const filesystem = judge(mount, tree, included);
    judged.set(mount, filesystem);
    if (filesystem.verdict === 'included') included.add(filesystem);
  }
  return mounts.flatMap((mount) => judged.get(mount) ?? []);
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

function byBreadth(a: MountEntry, b: MountEntry): number {
  if ((a.mountPoint === '/') !== (b.mountPoint === '/')) return a.mountPoint === '/' ? -1 : 1;
  return a.root.length - b.root.length;
}

function judge(mount: MountEntry, tree: MountTree, included: Originals): Filesystem {
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
  const original = included
    .holding(mount)
    .map((other) => joinPath(other.mountPoint, relativeTo(mount.root, other.root)))
    .find((path) => showsAgain(mount, path, tree));
  if (original !== undefined) {
    return { ...mount, verdict: 'bind', reason: `bind mount: shows ${printablePath(original)} again` };
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

/**
 * All subvolumes of a btrfs have one device and one tree of paths, and each is a filesystem of its own all the same: neither
 * find nor tar goes from one into the other. Where the kernel does not tell which one it is, a tree that is taken twice is
 * better than one that is lost.
 */
function sameFilesystem(mount: MountEntry, other: MountEntry): boolean {
  if (mount.device === '' || mount.device !== other.device) return false;
  return mount.type !== 'btrfs' || (mount.subvolume !== undefined && mount.subvolume === other.subvolume);
}

/** Filesystems that are taken, by what they show: a mount is held by those that show a leading part of its root. */
class Originals {
  readonly #byRoot = new Map<string, Filesystem>();
  #atRoot: Filesystem | undefined;

  add(filesystem: Filesystem): void {
    if (filesystem.mountPoint === '/') this.#atRoot = filesystem;
    const key = keyOf(filesystem, filesystem.root);
    // The first is what others show again.
    if (!this.#byRoot.has(key)) this.#byRoot.set(key, filesystem);
  }

  /** The same filesystem, and what the one shows is what the mount shows, or above it: the root filesystem first. */
  holding(mount: MountEntry): Filesystem[] {
    const found = [...leadingParts(mount.root)].flatMap((root) => this.#byRoot.get(keyOf(mount, root)) ?? []);
    return found
      .filter((other) => sameFilesystem(mount, other))
      .sort((a, b) => Number(b === this.#atRoot) - Number(a === this.#atRoot));
  }
}

function keyOf({ device, subvolume = '' }: MountEntry, root: ByteString): string {
  return `${device} ${subvolume} ${root}`;
}

/** False where the path leads elsewhere: to the mount itself, which is bound onto itself, or to what hides the original. */
function showsAgain(mount: MountEntry, original: ByteString, tree: MountTree): boolean {
  const there = tree.at(original);
  if (there === undefined) return true;
  if (there === mount || !sameFilesystem(mount, there)) return false;
  return joinPath(there.root, relativeTo(original, there.mountPoint)) === mount.root;
}

function relativeTo(path: ByteString, base: ByteString): string {
  if (!isBelow(path, base)) return '';
  return base === '/' ? path : path.slice(base.length);
}

function joinPath(base: ByteString, rest: string): ByteString {
  return (base === '/' ? rest || '/' : base + rest) as ByteString;
}
