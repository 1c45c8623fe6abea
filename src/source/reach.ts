/**
 * Where the finds of a listing get to. Each stays on the device that it began on: it enters a bind mount of that, and prints
 * what else is mounted without entering it. Only a directory that it is in already it neither enters nor prints.
 */
import { parentOf } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';
import type { Filesystem } from './filesystems.ts';
import { leadingParts } from './mount-tree.ts';
import { pathWithin, sameFilesystem } from './originals.ts';

export class Reach {
  readonly #visible: ReadonlyMap<ByteString, Filesystem>;

  constructor(filesystems: readonly Filesystem[]) {
    const visible = filesystems.filter(({ verdict }) => verdict !== 'hidden');
    this.#visible = new Map(visible.map((mount) => [mount.mountPoint, mount]));
  }

  /** What is mounted there, or around it. */
  at(path: ByteString): Filesystem | undefined {
    let found: Filesystem | undefined;
    for (const part of leadingParts(path)) found = this.#visible.get(part) ?? found;
    return found;
  }

  /** The filesystem whose find enters a directory; undefined where none does. */
  enters(directory: ByteString): Filesystem | undefined {
    let mount = this.at(directory);
    while (mount?.verdict === 'bind') {
      const around: Filesystem | undefined = this.#around(mount);
      mount = around !== undefined && sameFilesystem(mount, around) && !this.isLoop(mount) ? around : undefined;
    }
    return mount?.verdict === 'included' ? mount : undefined;
  }

  /** Of a mount other than the root, the filesystem whose find prints its place. */
  prints({ mountPoint }: Filesystem): Filesystem | undefined {
    return mountPoint === '/' ? undefined : this.enters(parentOf(mountPoint));
  }

  /** Whether a mount shows a directory that it lies in. */
  isLoop(mount: Filesystem): boolean {
    if (mount.mountPoint === '/') return false;
    for (const above of leadingParts(parentOf(mount.mountPoint))) {
      const there = this.at(above);
      if (there !== undefined && sameFilesystem(mount, there) && pathWithin(there, above) === mount.root) return true;
    }
    return false;
  }

  /** Directories above a filesystem that is taken which no find prints: of what is around it and is not taken, or only elsewhere. */
  get ways(): ByteString[] {
    const ways = new Set<ByteString>();
    for (const mount of this.#visible.values()) {
      if (mount.verdict !== 'included') continue;
      for (const part of leadingParts(mount.mountPoint)) {
        const own = part === '/' || this.#visible.get(part)?.verdict === 'included';
        const around = parentOf(part);
        if (!own && this.at(around) !== undefined && this.enters(around) === undefined) ways.add(part);
      }
    }
    return [...ways];
  }

  #around({ mountPoint }: Filesystem): Filesystem | undefined {
    return mountPoint === '/' ? undefined : this.at(parentOf(mountPoint));
  }
}
