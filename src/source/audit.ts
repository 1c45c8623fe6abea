/**
 * What the naive pipeline would do: `tar --one-file-system` over every mount whose device is named in /dev. A path
 * that two of its arguments reach is in its stream twice, and importers refuse the whole stream for it.
 */
import type { Entry } from '../listing/entry.ts';
import { Lowest } from '../listing/lowest.ts';
import { isBelow, parentOf } from '../listing/path.ts';
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

/** Counts for each path how many of the naive arguments reach it, over any number of walks. */
export class DuplicateAuditor {
  /** How often each is among the arguments. */
  readonly #arguments = new Map<string, number>();
  readonly #found: Lowest<Duplicate>;
  readonly #byCause: Record<DuplicateCause, number> = { 'mount point under a parent': 0, 'bind mount': 0 };

  constructor(filesystems: readonly Filesystem[], limit = 1000) {
    const naive = filesystems.filter(isNaive);
    for (const { mountPoint } of naive) this.#arguments.set(mountPoint, (this.#arguments.get(mountPoint) ?? 0) + 1);
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
}

const NONE: readonly Reaching[] = [];

/** One walk over a tree: a directory comes before what is in it. */
export class DuplicateWalk {
  readonly #arguments: ReadonlyMap<string, number>;
  readonly #onDuplicate: (duplicate: Duplicate) => void;
  readonly #above: Above[] = [];

  constructor(naive: ReadonlyMap<string, number>, onDuplicate: (duplicate: Duplicate) => void) {
    this.#arguments = naive;
    this.#onDuplicate = onDuplicate;
  }

  /** @param counted false for a directory that another walk counts, and that is here for what is in it. */
  add(entry: Entry, counted = true): void {
    const parent = this.#parentOf(entry.path);
    const reaching = parent?.reaching ?? NONE;
    const times = this.#arguments.get(entry.path) ?? 0;
    if (counted && (times > 0 || reaching.length > 0)) this.#count(entry, parent, times);
    if (entry.type === 'd') this.#enter(entry, reaching, times);
  }

  #parentOf(path: ByteString): Above | undefined {
    let top = this.#above.at(-1);
    while (top !== undefined && !isBelow(path, top.path)) {
      this.#above.pop();
      top = this.#above.at(-1);
    }
    return top;
  }

  /** tar reaches its argument, what lies below it on the same device, and the mount points in there themselves. */
  #enter({ path, device }: Entry, reaching: readonly Reaching[], times: number): void {
    const passed = reaching.every((each) => each.device === device)
      ? reaching
      : reaching.filter((each) => each.device === device);
    this.#above.push({ path, device, reaching: times > 0 ? [...passed, { device, times }] : passed });
  }

  #count({ path, device }: Entry, parent: Above | undefined, times: number): void {
    const count = (parent?.reaching ?? NONE).reduce((sum, each) => sum + each.times, times);
    if (count < 2) return;
    const otherDevice = parent !== undefined && parent.path === parentOf(path) && parent.device !== device;
    this.#onDuplicate({ path, count, cause: otherDevice ? 'mount point under a parent' : 'bind mount' });
  }
}
