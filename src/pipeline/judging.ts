/**
 * The files of an audit are judged as they are listed: in find's own order, and without a sorted listing, which takes
 * several times as long. What several finds print is judged once.
 */
import type { Entry } from '../listing/entry.ts';
import { parentOf } from '../listing/path.ts';
import type { Start } from '../listing/scan.ts';
import { isNaive } from '../source/audit.ts';
import type { Filesystem } from '../source/filesystems.ts';
import { sameFilesystem } from '../source/originals.ts';
import { Reach } from '../source/reach.ts';
import { shownElsewhere } from '../source/shown-elsewhere.ts';
import type { Judgement, JudgementWalk } from './judgement.ts';
import type { EntrySink, FindSink } from './stages/finds.ts';

/**
 * True where the table of mounts tells which finds show the same files, so that none is judged twice, and where each begins
 * below what another one printed, so that all is known of what is around it.
 */
export function canJudgeAsListed(filesystems: readonly Filesystem[]): boolean {
  const reach = new Reach(filesystems);
  const included = filesystems.filter(({ verdict }) => verdict === 'included');
  const told = ({ device, type, subvolume }: Filesystem): boolean =>
    device !== '' && (type !== 'btrfs' || subvolume !== undefined);
  const joined = (mount: Filesystem): boolean => {
    const around = mount.mountPoint === '/' ? undefined : reach.at(parentOf(mount.mountPoint));
    return around === undefined || reach.prints(mount) !== undefined || !isNaive(around);
  };
  return (
    included.every((mount) => told(mount) && joined(mount)) &&
    !filesystems.some((mount) => (mount.verdict === 'included' || mount.verdict === 'bind') && reach.isLoop(mount)) &&
    reach.ways.length === 0 &&
    shownElsewhere(filesystems).length === 0
  );
}

/** Entries that are judged in one go: what comes in between is hardly anything, and to wait costs as much as to judge it. */
const AT_ONCE = 1000;

export class Judging implements EntrySink {
  readonly judgement: Promise<Judgement>;
  readonly #reach: Reach;

  /** @param judgement there once the rules are. */
  constructor(judgement: Promise<Judgement>, filesystems: readonly Filesystem[]) {
    this.judgement = judgement;
    // A find may wait for its session still when it fails.
    judgement.catch(() => {});
    this.#reach = new Reach(filesystems);
  }

  begin(start: Start): FindSink {
    return new FindJudge(this.judgement, start, this.#around(start));
  }

  /** What another find has of this one. */
  #around({ path, what }: Start): Around {
    if (what !== 'filesystem') return what === 'itself' ? 'nothing' : 'root';
    const here = this.#reach.at(path);
    const around = here === undefined ? undefined : this.#reach.prints(here);
    if (around === undefined || here === undefined) return 'nothing';
    // find stays on one device, and where that is the same it goes on into this filesystem.
    return sameFilesystem(here, around) ? 'everything' : 'root';
  }
}

type Around = 'nothing' | 'root' | 'everything';

class FindJudge implements FindSink {
  readonly ready: Promise<Judgement>;
  readonly #start: Start;
  readonly #around: Around;
  #queue: (readonly Entry[])[] = [];
  /** Entries. */
  #queued = 0;
  #walk: JudgementWalk | undefined;

  constructor(judgement: Promise<Judgement>, start: Start, around: Around) {
    this.ready = judgement;
    this.#start = start;
    this.#around = around;
  }

  async add(entries: readonly Entry[]): Promise<void> {
    if (this.#around === 'everything') return;
    this.#queue.push(entries);
    this.#queued += entries.length;
    if (this.#queued >= AT_ONCE) await this.end();
  }

  async end(): Promise<void> {
    const judgement = await this.ready;
    const queue = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    for (const entries of queue) this.#judge(judgement, entries);
    await judgement.drain();
  }

  #judge(judgement: Judgement, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (this.#walk !== undefined) this.#walk.add(entry);
      else {
        this.#walk = judgement.walk(this.#start.path);
        if (this.#around === 'root') this.#walk.enter(entry);
        else this.#walk.add(entry);
      }
    }
  }
}
