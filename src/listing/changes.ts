/**
 * What happened between two listings of one source. This is how p2c finds files that were written while they were read,
 * and everything else that a delta has to hold.
 */
import type { ByteString } from '../printable.ts';
import { BlindSpots } from './blind-spots.ts';
import { type Entry, type Instant, inodeKey, isHardLinked } from './entry.ts';
import { pairEntries } from './merge.ts';
import { isBelow } from './path.ts';
import { RECREATED, type RuleSet } from './rules.ts';
import type { Listing } from './storage.ts';

/** An entry of the newer listing, and whether a delta has to hold it. */
export interface Marked {
  readonly entry: Entry;
  readonly changed: boolean;
  /** By what the listings say, and not by a suspicion alone. */
  readonly differs: boolean;
  /** It became what a rule leaves out: a whiteout has to hide what was captured of it. */
  readonly leftOut: boolean;
}

export interface ChangeCounts {
  /** Included paths that are new or differ. */
  changed: number;
  /** Included paths that are gone. */
  removed: number;
}

/** Compares by what `stat` says: ctime moves with every write, chmod, chown, link and rename. */
export function differs(before: Entry, after: Entry): boolean {
  return (
    before.type !== after.type ||
    before.inode !== after.inode ||
    before.device !== after.device ||
    before.size !== after.size ||
    before.mode !== after.mode ||
    before.uid !== after.uid ||
    before.gid !== after.gid ||
    before.target !== after.target ||
    !sameInstant(before.mtime, after.mtime) ||
    !sameInstant(before.ctime, after.ctime)
  );
}

function sameInstant(a: Instant, b: Instant): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

const EXAMPLES = 1000;

/** What a comparison goes by, beside the two listings. */
export interface ChangeGrounds {
  /** Paths whose own attributes mean nothing: where the kernel's filesystems are mounted. */
  readonly restless: ReadonlySet<string>;
  /** Paths that count as changed whatever the listings say. */
  readonly suspects?: ReadonlySet<string>;
  /** Of the newer listing: what is missing there is not gone. */
  readonly blindSpots?: BlindSpots;
  /**
   * Seconds since 1970 on the source, when the older listing began. Where times are whole seconds, what changed in that
   * second and what changed later in it look the same: it counts as changed (git calls such entries racy).
   */
  readonly racySince?: number;
}

/** The comparison of two listings of one source, under one set of rules. */
export class Changes {
  readonly counts: ChangeCounts = { changed: 0, removed: 0 };
  /** The first of the changed paths. */
  readonly examples: ByteString[] = [];
  /** The topmost of the paths that are gone. */
  readonly gone: ByteString[] = [];
  /** Those of them that a whiteout has to hide, and with them all that is below. */
  readonly removed: ByteString[] = [];
  /** Directories that a rule leaves out, and that are in the image for what is taken below them: those that moved. */
  readonly ways = new Set<string>();
  /** Of the newer listing. */
  readonly blindSpots: BlindSpots;
  readonly #before: Listing;
  readonly #after: Listing;
  readonly #rules: RuleSet;
  readonly #restless: ReadonlySet<string>;
  readonly #suspects: ReadonlySet<string>;
  readonly #racySince: number;
  /** A group of hard links is one file: when it changed, all of its names have to come again. */
  readonly #inodes = new Set<string>();
  /** The last directory in whose place something else came: that hides what was below it. */
  #replaced: ByteString | undefined;
  /** The last topmost directory that is gone, left out or not: what the image has of it goes with it. */
  #goneDirectory: ByteString | undefined;
  /** Directories above that are left out and moved. */
  #movedAbove: ByteString[] = [];

  private constructor(before: Listing, after: Listing, rules: RuleSet, grounds: ChangeGrounds) {
    this.blindSpots = grounds.blindSpots ?? new BlindSpots([]);
    this.#before = before;
    this.#after = after;
    this.#rules = rules;
    this.#restless = grounds.restless;
    this.#suspects = grounds.suspects ?? new Set();
    this.#racySince = grounds.racySince ?? Number.POSITIVE_INFINITY;
  }

  static async between(before: Listing, after: Listing, rules: RuleSet, grounds: ChangeGrounds): Promise<Changes> {
    const changes = new Changes(before, after, rules, grounds);
    await changes.#count();
    return changes;
  }

  /** The newer listing. */
  get after(): Listing {
    return this.#after;
  }

  get none(): boolean {
    return this.counts.changed === 0 && this.counts.removed === 0;
  }

  /** The newer listing, each entry with its mark. */
  async *marked(): AsyncGenerator<readonly Marked[]> {
    for await (const pairs of pairEntries(this.#before.batches(), this.#after.batches())) {
      const marked: Marked[] = [];
      for (const { before, after } of pairs) {
        if (after === undefined) continue;
        const again = isHardLinked(after) && this.#inodes.has(inodeKey(after));
        const changed = again || this.ways.has(after.path) || this.#isChange(before, after);
        const leftOut = !changed && before !== undefined && this.#isGone(before, after) && this.#isHeld(before);
        const moved = before === undefined || differs(before, after) || this.#cameIn(before, after);
        marked.push({ entry: after, changed, differs: moved, leftOut });
      }
      yield marked;
    }
  }

  async #count(): Promise<void> {
    for await (const pairs of pairEntries(this.#before.batches(), this.#after.batches())) {
      for (const { before, after } of pairs) {
        if (before?.type === 'd' && after?.type !== 'd') this.#passGoneDirectory(before.path);
        if (before !== undefined && this.#isGone(before, after)) this.#remove(before);
        else if (after !== undefined && this.#isChange(before, after)) this.#change(before, after);
        if (after !== undefined) this.#followWay(before, after);
      }
    }
  }

  #passGoneDirectory(path: ByteString): void {
    const above = this.#goneDirectory;
    if (above !== undefined && isBelow(path, above)) return;
    this.#goneDirectory = this.blindSpots.covers(path) ? undefined : path;
  }

  /** A directory that is left out matters once something below it is taken: then its attributes are in the image, too. */
  #followWay(before: Entry | undefined, after: Entry): void {
    while (this.#movedAbove.length > 0 && !isBelow(after.path, this.#movedAbove.at(-1) ?? after.path)) {
      this.#movedAbove.pop();
    }
    const moved = before !== undefined && after.type === 'd' && differs(before, after);
    const included = (moved || this.#movedAbove.length > 0) && this.#isIncluded(after);
    if (moved && !included && !this.#restless.has(after.path)) this.#movedAbove.push(after.path);
    if (!included) return;
    for (const path of this.#movedAbove) {
      this.ways.add(path);
      this.counts.changed += 1;
      if (this.examples.length < EXAMPLES) this.examples.push(path);
    }
    this.#movedAbove = [];
  }

  /** Also where what came in its place is left out: a socket, or a file that is now mostly holes. */
  #isGone(before: Entry, after: Entry | undefined): boolean {
    return after === undefined || (differs(before, after) && !this.#isIncluded(after) && !this.#isRecreated(after));
  }

  #change(before: Entry | undefined, after: Entry): void {
    this.counts.changed += 1;
    if (this.examples.length < EXAMPLES) this.examples.push(after.path);
    if (isHardLinked(after)) this.#inodes.add(inodeKey(after));
    if (before?.type === 'd' && after.type !== 'd') this.#replaced = after.path;
  }

  #isChange(before: Entry | undefined, after: Entry): boolean {
    const stood = before !== undefined && !differs(before, after) && !this.#cameIn(before, after);
    if (stood && !this.#isSuspect(after)) return false;
    // Made anew at each look; one that was not there, or was something else, is a change like any.
    if (before?.type === after.type && this.#restless.has(after.path)) return false;
    return this.#isIncluded(after) || this.#becameRecreated(before, after);
  }

  /** Blocks are booked some time after a write, and nothing else tells of it: what seemed to be holes is content. */
  #cameIn(before: Entry, after: Entry): boolean {
    return before.blocks !== after.blocks && this.#isIncluded(after) && !this.#isIncluded(before);
  }

  #isSuspect({ path, ctime, type }: Entry): boolean {
    const racy = type === 'f' && ctime.nanoseconds <= 0 && ctime.seconds >= this.#racySince;
    return racy || this.#suspects.has(path);
  }

  #remove(entry: Entry): void {
    if (!this.#isHeld(entry) || this.blindSpots.covers(entry.path)) return;
    this.counts.removed += 1;
    const last = this.gone.at(-1);
    if (last !== undefined && isBelow(entry.path, last)) return;
    const above = this.#goneDirectory;
    const whole = above !== undefined && above !== this.#replaced && isBelow(entry.path, above);
    const top = whole ? above : entry.path;
    this.gone.push(top);
    // A whiteout below a symbolic link would hide what the link leads to, and below a file no extractor can make it.
    if (this.#replaced === undefined || !isBelow(top, this.#replaced)) this.removed.push(top);
  }

  #isIncluded(entry: Entry): boolean {
    const rule = this.#rules.decide(entry);
    return rule === undefined || rule.action === 'include';
  }

  #isHeld(entry: Entry): boolean {
    return this.#isIncluded(entry) || this.#isRecreated(entry);
  }

  #isRecreated(entry: Entry): boolean {
    return this.#rules.decide(entry) === RECREATED;
  }

  /** The empty file is already there where the file had as many holes before: what is written to it does not matter. */
  #becameRecreated(before: Entry | undefined, after: Entry): boolean {
    return this.#isRecreated(after) && (before === undefined || !this.#isRecreated(before));
  }
}
