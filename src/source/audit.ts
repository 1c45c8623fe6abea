/**
 * What the naive pipeline would do: `tar --one-file-system` over every mount whose device is named in /dev. A path
 * that two of its arguments reach is in its stream twice, and importers refuse the whole stream for it.
 */
import type { Entry } from '../listing/entry.ts';
import { Lowest } from '../listing/lowest.ts';
import { parentOf } from '../listing/path.ts';
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

/** As `mount | awk '$1 ~ /\/dev/'` chooses the arguments. */
export function isNaive({ source, verdict }: Filesystem): boolean {
  return source.includes('/dev') && verdict !== 'hidden';
}

/** How often the naive arguments reach what lies in a directory, each with its device. */
interface Reaching {
  readonly device: number;
  /** Once, unless the table has its mount twice. */
  readonly times: number;
}

/** How often each path is among the naive pipeline's arguments. */
class NaiveArguments {
  readonly #times = new Map<string, number>();
  /** Most paths are of another length, and need not be hashed. */
  readonly #lengths = new Set<number>();

  constructor(filesystems: readonly Filesystem[]) {
    for (const { mountPoint } of filesystems.filter(isNaive)) {
      this.#times.set(mountPoint, this.times(mountPoint) + 1);
      this.#lengths.add(mountPoint.length);
    }
  }

  times(path: ByteString): number {
    return this.#lengths.has(path.length) ? (this.#times.get(path) ?? 0) : 0;
  }
}

/** Counts for each path how many of the naive arguments reach it, over any number of walks. */
export class DuplicateAuditor {
  readonly #arguments: NaiveArguments;
  readonly #found: Lowest<Duplicate>;
  readonly #byCause: Record<DuplicateCause, number> = { 'mount point under a parent': 0, 'bind mount': 0 };

  constructor(filesystems: readonly Filesystem[], limit = 1000) {
    this.#arguments = new NaiveArguments(filesystems);
    this.#found = new Lowest(limit);
  }

  walk(): DuplicateWalk {
    return new DuplicateWalk(this.#arguments, (duplicate) => {
      this.#byCause[duplicate.cause] += 1;
      this.#found.add(duplicate);
    });
  }

  result(): DuplicateAudit {
    const total = Object.values(this.#byCause).reduce((sum, count) => sum + count, 0);
    return { duplicates: this.#found.items, total, byCause: this.#byCause };
  }
}

/** A directory above the current path. */
interface Above {
  readonly path: ByteString;
  readonly device: number;
  readonly reaching: readonly Reaching[];
  /** Of all of them. */
  readonly times: number;
}

const NONE: readonly Reaching[] = [];

/** One walk over a tree: a directory comes before what is in it. */
export class DuplicateWalk {
  readonly #arguments: NaiveArguments;
  readonly #onDuplicate: (duplicate: Duplicate) => void;
  readonly #above: Above[] = [];

  constructor(naive: NaiveArguments, onDuplicate: (duplicate: Duplicate) => void) {
    this.#arguments = naive;
    this.#onDuplicate = onDuplicate;
  }

  /**
   * @param above how many of the directories that came are above it.
   * @param counted false for a directory that another walk counts, and that is here for what is in it.
   */
  add(entry: Entry, above: number, counted = true): void {
    if (this.#above.length !== above) this.#above.length = above;
    const parent = above === 0 ? undefined : this.#above[above - 1];
    const times = this.#arguments.times(entry.path);
    const count = times + (parent === undefined ? 0 : parent.times);
    if (counted && count > 1) this.#tell(entry, parent, count);
    if (entry.type === 'd') this.#enter(entry, parent?.reaching ?? NONE, times);
  }

  /** tar reaches its argument, what lies below it on the same device, and the mount points in there themselves. */
  #enter({ path, device }: Entry, reaching: readonly Reaching[], times: number): void {
    const passed = reaching.every((each) => each.device === device)
      ? reaching
      : reaching.filter((each) => each.device === device);
    const here = times > 0 ? [...passed, { device, times }] : passed;
    this.#above.push({ path, device, reaching: here, times: here.reduce((sum, each) => sum + each.times, 0) });
  }

  #tell({ path, device }: Entry, parent: Above | undefined, count: number): void {
    const otherDevice = parent !== undefined && parent.path === parentOf(path) && parent.device !== device;
    this.#onDuplicate({ path, count, cause: otherDevice ? 'mount point under a parent' : 'bind mount' });
  }
}
