/**
 * Which mount a path leads to. Every mount asks for its own place, and a server may have thousands, of containers or to be a
 * nuisance: so the table is read once, and a question costs no more than the path has components.
 */
import { isAtOrBelow } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';
import type { MountEntry } from './mountinfo.ts';

export class MountTree {
  /** The last of those that are mounted at a place. */
  readonly #last: ReadonlyMap<ByteString, MountEntry>;
  /** Number of a mount → what is mounted on it: the last at each place. */
  readonly #children = new Map<number, Map<ByteString, MountEntry>>();
  readonly #root: MountEntry | undefined;
  /** Mount → the one that covers all of it, where one does. */
  readonly #covers = new Map<MountEntry, MountEntry>();
  readonly #found = new Map<ByteString, MountEntry | undefined>();

  constructor(mounts: readonly MountEntry[]) {
    this.#last = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
    // A table without numbers (/proc/mounts) tells no more than the order.
    if (mounts.some(({ id }) => id < 0)) return;
    const ids = new Set(mounts.map(({ id }) => id));
    const places = new Map(mounts.map((mount) => [mount.id, mount.mountPoint]));
    this.#root = mounts.find(({ mountPoint, parent }) => mountPoint === '/' && !ids.has(parent));
    for (const mount of mounts) {
      const parent = places.get(mount.parent);
      // What is not below what it is mounted on is no table of a kernel's, and would lead in a circle.
      if (mount.id === mount.parent || parent === undefined || !isAtOrBelow(mount.mountPoint, parent)) continue;
      const siblings = this.#children.get(mount.parent) ?? new Map<ByteString, MountEntry>();
      this.#children.set(mount.parent, siblings.set(mount.mountPoint, mount));
    }
  }

  /**
   * Found as the kernel finds it: from the root mount, into the child mounted at the shortest leading part of the path,
   * again and again. Table order alone does not tell: an initramfs mounts /proc and /dev before the root that later
   * carries them.
   */
  at(path: ByteString): MountEntry | undefined {
    if (this.#found.has(path)) return this.#found.get(path);
    const found = this.#root === undefined ? this.#last.get(path) : this.#walk(this.#root, path);
    this.#found.set(path, found);
    return found;
  }

  #walk(root: MountEntry, path: ByteString): MountEntry {
    let current = this.#top(root);
    for (const place of leadingParts(path)) {
      const child = this.#children.get(current.id)?.get(place);
      if (child !== undefined) current = this.#top(child);
    }
    return current;
  }

  /** The mount itself, or the uppermost of those that lie over the whole of it. */
  #top(mount: MountEntry): MountEntry {
    const passed = new Set<MountEntry>();
    let top = mount;
    for (;;) {
      passed.add(top);
      const over: MountEntry | undefined = this.#covers.get(top) ?? this.#children.get(top.id)?.get(top.mountPoint);
      // Numbers that lead in a circle are no kernel's either.
      if (over === undefined || passed.has(over)) break;
      top = over;
    }
    for (const under of passed) if (under !== top) this.#covers.set(under, top);
    return top;
  }
}

/** `/`, `/a`, `/a/b`: of `/a/b`. */
export function* leadingParts(path: ByteString): Generator<ByteString> {
  yield '/' as ByteString;
  if (path === '/') return;
  for (let slash = path.indexOf('/', 1); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    yield path.slice(0, slash) as ByteString;
  }
  yield path;
}
