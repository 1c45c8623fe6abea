/**
 * What the naive pipeline would do: `tar --one-file-system` over every mount whose device is named in /dev. A path
 * that two of its arguments reach is in its stream twice, and importers refuse the whole stream for it.
 */
import type { Entry } from '../listing/entry.ts';
import { isAtOrBelow, isBelow, parentOf } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';
import type { Filesystem } from './filesystems.ts';

export type DuplicateCause = 'mount point under a parent' | 'bind mount';

export interface Duplicate {
  readonly path: ByteString;
  readonly count: number;
  readonly cause: DuplicateCause;
}

export interface DuplicateAudit {
  /** The first ones, up to the limit given. */
  readonly duplicates: readonly Duplicate[];
  readonly total: number;
  readonly byCause: Readonly<Record<DuplicateCause, number>>;
}

/** Walks the listing and counts for each path how many of the naive arguments reach it. */
export class DuplicateAuditor {
  readonly #arguments: readonly ByteString[];
  readonly #mountPoints: ReadonlySet<string>;
  readonly #limit: number;
  readonly #devices = new Map<string, number>();
  /** Directories above the current path with their devices, outermost first. */
  readonly #above: { path: ByteString; device: number }[] = [];
  readonly #found: Duplicate[] = [];
  readonly #byCause: Record<DuplicateCause, number> = { 'mount point under a parent': 0, 'bind mount': 0 };

  constructor(filesystems: readonly Filesystem[], limit = 1000) {
    // As `mount | awk '$1 ~ /\/dev/'` chooses them.
    const naive = filesystems.filter((mount) => mount.source.includes('/dev') && mount.verdict !== 'hidden');
    this.#arguments = naive.map((mount) => mount.mountPoint);
    this.#mountPoints = new Set(filesystems.map((mount) => mount.mountPoint));
    this.#limit = limit;
  }

  /** Entries in the listing's order: a directory before what is in it. */
  add(entry: Entry): void {
    let top = this.#above.at(-1);
    while (top !== undefined && !isBelow(entry.path, top.path)) {
      this.#above.pop();
      top = this.#above.at(-1);
    }
    if (this.#mountPoints.has(entry.path)) this.#devices.set(entry.path, entry.device);
    const count = this.#arguments.filter((argument) => this.#reaches(argument, entry)).length;
    if (count > 1) this.#record(entry, count);
    if (entry.type === 'd') this.#above.push({ path: entry.path, device: entry.device });
  }

  result(): DuplicateAudit {
    const total = Object.values(this.#byCause).reduce((sum, count) => sum + count, 0);
    return { duplicates: this.#found, total, byCause: this.#byCause };
  }

  /** tar reaches its argument, what lies below it on the same device, and the mount points in there themselves. */
  #reaches(argument: ByteString, entry: Entry): boolean {
    if (entry.path === argument) return true;
    if (!isAtOrBelow(entry.path, argument)) return false;
    const device = this.#devices.get(argument);
    return this.#above
      .filter((directory) => isAtOrBelow(directory.path, argument))
      .every((directory) => directory.device === device);
  }

  #record(entry: Entry, count: number): void {
    const parent = this.#above.at(-1);
    const otherDevice = parent !== undefined && parent.path === parentOf(entry.path) && parent.device !== entry.device;
    const cause = otherDevice ? 'mount point under a parent' : 'bind mount';
    this.#byCause[cause] += 1;
    if (this.#found.length < this.#limit) this.#found.push({ path: entry.path, count, cause });
  }
}
