/** Filesystems that are taken, and what of them other mounts show again. */

import { isBelow } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';
import { leadingParts, type MountTree } from './mount-tree.ts';
import type { MountEntry } from './mountinfo.ts';

/**
 * All subvolumes of a btrfs have one device and one tree of paths, and each is a filesystem of its own all the same: neither
 * find nor tar goes from one into the other. Where the kernel does not tell which one it is, a tree that is taken twice is
 * better than one that is lost.
 */
export function sameFilesystem(mount: MountEntry, other: MountEntry): boolean {
  if (mount.device === '' || mount.device !== other.device) return false;
  return mount.type !== 'btrfs' || (mount.subvolume !== undefined && mount.subvolume === other.subvolume);
}

/** Filesystems that are taken, by what they show: a mount is held by those that show a leading part of its root. */
export class Originals {
  readonly #byRoot = new Map<string, MountEntry>();
  #atRoot: MountEntry | undefined;

  add(mount: MountEntry): void {
    if (mount.mountPoint === '/') this.#atRoot = mount;
    const key = keyOf(mount, mount.root);
    // The first is what others show again.
    if (!this.#byRoot.has(key)) this.#byRoot.set(key, mount);
  }

  /** Where else a mount's files are seen, below the root filesystem first. */
  placesOf(mount: MountEntry, tree: MountTree): ByteString[] {
    const found = [...leadingParts(mount.root)].flatMap((root) => this.#byRoot.get(keyOf(mount, root)) ?? []);
    const holding = found
      .filter((other) => sameFilesystem(mount, other))
      .sort((a, b) => Number(b === this.#atRoot) - Number(a === this.#atRoot));
    const places = holding.map((other) => placeIn(other, mount.root));
    // What is bound onto itself is a part of the tree that it lies in.
    if (places.includes(mount.mountPoint)) return [];
    return places.filter((path) => shows(tree.at(path), path, mount));
  }
}

function keyOf({ device, subvolume = '' }: MountEntry, root: ByteString): string {
  return `${device} ${subvolume} ${root}`;
}

/** False where the path leads elsewhere: to what hides the original. */
function shows(there: MountEntry | undefined, path: ByteString, mount: MountEntry): boolean {
  if (there === undefined) return true;
  return there !== mount && sameFilesystem(mount, there) && pathWithin(there, path) === mount.root;
}

/** Where a mount shows a directory of its filesystem that is at or below its root. */
export function placeIn({ mountPoint, root }: MountEntry, directory: ByteString): ByteString {
  return joinPath(mountPoint, relativeTo(directory, root));
}

/** What lies at a path at or below the mount, as a path of its filesystem. */
export function pathWithin({ mountPoint, root }: MountEntry, path: ByteString): ByteString {
  return joinPath(root, relativeTo(path, mountPoint));
}

function relativeTo(path: ByteString, base: ByteString): string {
  if (!isBelow(path, base)) return '';
  return base === '/' ? path : path.slice(base.length);
}

function joinPath(base: ByteString, rest: string): ByteString {
  return (base === '/' ? rest || '/' : base + rest) as ByteString;
}
