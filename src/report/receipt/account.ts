/** Accounts for every path that a source's listings hold, in path order and bounded memory. */
import type { Changes, Marked } from '../../listing/changes.ts';
import type { Entry } from '../../listing/entry.ts';
import { classOf } from '../../listing/file-class.ts';
import { pairEntries } from '../../listing/merge.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { Listing } from '../../listing/storage.ts';
import type { ReceiptLine } from './form.ts';
import { inImage, whyMissing } from './in-image.ts';
import { type Found, type LayerLog, Layers, type VolumeLogs } from './layers.ts';
import { BECAME_LEFT_OUT, MOVING, NOT_SEEN_AGAIN, STALE } from './reasons.ts';
import { Unlisted } from './unlisted.ts';

export interface AccountInput {
  /** The listing whose plan was streamed. */
  readonly streamed: Listing;
  /** Those of the last look: its newer listing is what the source holds now. */
  readonly lastChanges: Changes;
  readonly rules: RuleSet;
  /** Of the image's layers, the lowest first. */
  readonly logs: readonly LayerLog[];
  /** Of each volume's beside the image, in path order. */
  readonly volumes: readonly VolumeLogs[];
}

export async function* accountForPaths(input: AccountInput): AsyncGenerator<readonly ReceiptLine[]> {
  const layers = new Layers(input.logs, input.volumes);
  const marks = new Marks(input.lastChanges);
  const between = new Unlisted(input, layers);
  try {
    for await (const pairs of pairEntries(input.streamed.batches(), input.lastChanges.after.batches())) {
      const lines: ReceiptLine[] = [];
      for (const { before, after } of pairs) {
        const reason = between.reasonOf((after ?? before)?.path, lines);
        if (after === undefined) {
          if (before !== undefined) lines.push(gone(input, before, layers.find(before.path).found));
          continue;
        }
        if (marks.used) await marks.refill();
        lines.push(lineOf(input.rules, layers, after, { ...marks.next(), reason }));
      }
      yield lines;
    }
    const rest: ReceiptLine[] = [];
    between.reasonOf(undefined, rest);
    yield rest;
  } finally {
    await marks.close();
    layers.close();
  }
}

interface Movement {
  /** What was read of it before may be torn, or old. */
  readonly moved: boolean;
  /** It was there all the time, and was not touched: what was wrong with it was no movement. */
  readonly stood: boolean;
}

const STOOD: Movement = { moved: false, stood: true };

/** For each entry of the newer listing, whether it moved; without a promise for each, and nothing read where none did. */
class Marks {
  readonly #none: boolean;
  readonly #batches: AsyncGenerator<readonly Marked[]>;
  #batch: readonly Marked[] = [];
  #at = 0;

  constructor(changes: Changes) {
    this.#none = changes.none;
    this.#batches = changes.marked();
  }

  /** True where `refill` must be awaited before `next`. */
  get used(): boolean {
    return !this.#none && this.#at >= this.#batch.length;
  }

  async refill(): Promise<void> {
    do {
      const result = await this.#batches.next();
      if (result.done === true) return;
      this.#batch = result.value;
      this.#at = 0;
    } while (this.#batch.length === 0);
  }

  next(): Movement {
    const mark = this.#batch[this.#at];
    this.#at += 1;
    if (mark === undefined) return STOOD;
    const moved = mark.changed || mark.leftOut;
    return { moved, stood: !(moved && mark.differs) };
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }
}

/** Of the last listing, no more. */
function gone({ lastChanges }: AccountInput, { path, type }: Entry, found: Found | undefined): ReceiptLine {
  if (found !== undefined) return inImage({ path, type }, found, { ...STOOD, said: whyMissing(lastChanges, path) });
  if (!lastChanges.blindSpots.covers(path)) return { path, type, verdict: 'vanished' };
  return { path, type, verdict: 'unreadable', class: classOf(path, type), reason: NOT_SEEN_AGAIN };
}

/** What is known of an entry beside what the layers hold. */
interface Look extends Movement {
  /** What keeps a directory from being looked into. */
  readonly reason: string | undefined;
}

function lineOf(rules: RuleSet, layers: Layers, entry: Entry, look: Look): ReceiptLine {
  const { path, type } = entry;
  const { reason, stood } = look;
  const { found, hidden } = layers.find(path);
  if (found !== undefined)
    return inImage(entry, found, { ...look, said: reason ?? whyStale(found, stood) ?? found.said });
  const rule = rules.decide(entry);
  if (rule?.action === 'exclude') {
    return { path, type, verdict: 'left-out', rule: rule.id, ...(hidden ? { reason: BECAME_LEFT_OUT } : {}) };
  }
  const said = layers.said(path);
  return {
    path,
    type,
    verdict: 'unreadable',
    class: classOf(path, type),
    reason: isMissed(stood, said)
      ? MOVING
      : (said ?? reason ?? "the source's tar did not deliver it, and no reason is known"),
  };
}

/** It came, or was something else, while its part was read. */
function isMissed(stood: boolean, said: string | undefined): boolean {
  return !stood && (said === undefined || /: (?:No such file or directory|Not a directory)$/.test(said));
}

function whyStale({ stale }: Found, stood: boolean): string | undefined {
  if (stale === undefined || isMissed(stood, stale.said)) return undefined;
  return `${STALE}: ${stale.said ?? stale.lost}`;
}
