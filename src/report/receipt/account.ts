/** Accounts for every path that a source's listings hold, in path order and bounded memory. */
import { asEntry, type Unseen } from '../../listing/blind-spots.ts';
import type { Changes, Marked } from '../../listing/changes.ts';
import type { Entry } from '../../listing/entry.ts';
import { classOf } from '../../listing/file-class.ts';
import { pairEntries } from '../../listing/merge.ts';
import { comparePaths } from '../../listing/path.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { Listing } from '../../listing/storage.ts';
import type { ByteString } from '../../printable.ts';
import type { ReceiptLine } from './form.ts';
import { type Found, type LayerLog, Layers } from './layers.ts';
import { BECAME_LEFT_OUT, MOVING, READ_IN_PART } from './reasons.ts';

export interface AccountInput {
  /** The listing whose plan was streamed. */
  readonly streamed: Listing;
  /** Those of the last look: its newer listing is what the source holds now. */
  readonly lastChanges: Changes;
  readonly rules: RuleSet;
  /** Of the image's layers, the lowest first. */
  readonly logs: readonly LayerLog[];
  /** Of each volume's beside the image, in path order. */
  readonly volumes: readonly { readonly path: ByteString; readonly logs: readonly LayerLog[] }[];
}

export async function* accountForPaths(input: AccountInput): AsyncGenerator<readonly ReceiptLine[]> {
  const layers = new Layers(input.logs, input.volumes);
  const marks = new Marks(input.lastChanges);
  const unseen = new UnseenPaths(input);
  try {
    for await (const pairs of pairEntries(input.streamed.batches(), input.lastChanges.after.batches())) {
      const lines: ReceiptLine[] = [];
      for (const { before, after } of pairs) {
        const reason = unseen.reasonOf((after ?? before)?.path, lines);
        if (after === undefined) {
          if (before !== undefined) lines.push(unlisted(input, before, layers.find(before.path).found));
          continue;
        }
        if (marks.used) await marks.refill();
        lines.push(lineOf(input.rules, layers, after, { moved: marks.next(), reason }));
      }
      yield lines;
    }
    const rest: ReceiptLine[] = [];
    unseen.reasonOf(undefined, rest);
    yield rest;
  } finally {
    await marks.close();
    layers.close();
  }
}

/** For each entry of the newer listing, whether it moved; without a promise for each, and nothing read where none did. */
class Marks {
  readonly #none: boolean;
  readonly #batches: AsyncGenerator<readonly Marked[]>;
  #batch: readonly Marked[] = [];
  #at = 0;

  constructor(changes: Changes) {
    this.#none = changes.counts.changed === 0;
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

  next(): boolean {
    const mark = this.#batch[this.#at];
    this.#at += 1;
    return mark?.changed === true;
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }
}

/** What the last find could not look at, beside the listings. */
class UnseenPaths {
  readonly #rules: RuleSet;
  readonly #unseen: readonly Unseen[];
  #at = 0;

  constructor({ rules, lastChanges }: AccountInput) {
    this.#rules = rules;
    this.#unseen = lastChanges.blindSpots.unseen;
  }

  /**
   * Of the path that comes next; of what is before it, and in no listing, lines are added.
   * @param path undefined after the last.
   */
  reasonOf(path: ByteString | undefined, lines: ReceiptLine[]): string | undefined {
    for (let next = this.#unseen[this.#at]; next !== undefined; next = this.#unseen[this.#at]) {
      const order = path === undefined ? -1 : comparePaths(next.path, path);
      if (order > 0) return undefined;
      this.#at += 1;
      if (order === 0) return `find could not look into it: ${next.reason}`;
      lines.push(this.#unlisted(next));
    }
    return undefined;
  }

  #unlisted(unseen: Unseen): ReceiptLine {
    const { path, type } = asEntry(unseen);
    const rule = this.#rules.decide(asEntry(unseen));
    if (rule?.action === 'exclude') return { path, type, verdict: 'left-out', rule: rule.id };
    const reason = `find could not look at it: ${unseen.reason}`;
    return { path, type, verdict: 'unreadable', class: classOf(path, type), reason };
  }
}

/** Not in the last listing. */
function unlisted({ lastChanges }: AccountInput, entry: Entry, found: Found | undefined): ReceiptLine {
  const { path, type } = entry;
  if (!lastChanges.blindSpots.covers(path)) return { path, type, verdict: 'vanished' };
  const reason = 'find could not look at it again';
  if (found === undefined) return { path, type, verdict: 'unreadable', class: classOf(path, type), reason };
  return inImage(entry, found, false, reason);
}

/** What is known of an entry beside what the layers hold. */
interface Look {
  readonly moved: boolean;
  /** What keeps a directory from being looked into. */
  readonly reason: string | undefined;
}

function lineOf(rules: RuleSet, layers: Layers, entry: Entry, { moved, reason }: Look): ReceiptLine {
  const { path, type } = entry;
  const { found, hidden } = layers.find(path);
  if (found !== undefined) return inImage(entry, found, moved, reason ?? found.said);
  const rule = rules.decide(entry);
  if (rule?.action === 'exclude') {
    return { path, type, verdict: 'left-out', rule: rule.id, ...(hidden ? { reason: BECAME_LEFT_OUT } : {}) };
  }
  const said = layers.said(path);
  // It came, or was something else, while its part was read.
  const missed = moved && (said === undefined || /: (?:No such file or directory|Not a directory)$/.test(said));
  return {
    path,
    type,
    verdict: 'unreadable',
    class: classOf(path, type),
    reason: missed ? MOVING : (said ?? reason ?? "the source's tar did not deliver it, and no reason is known"),
  };
}

function inImage(
  { path, type }: Entry,
  { layer, volume, captured }: Found,
  moved: boolean,
  said: string | undefined,
): ReceiptLine {
  const { digest, hardLink, fixes } = captured;
  const blind = moved || said !== undefined;
  const reason = !moved && said?.startsWith('File shrank') === true ? `${READ_IN_PART}: ${said}` : said;
  return {
    path,
    type,
    verdict: blind ? 'changed' : fixes.length > 0 ? 'fixed' : 'captured',
    layer,
    ...(volume === undefined ? {} : { volume }),
    ...(blind ? { class: classOf(path, type) } : {}),
    ...(digest === undefined ? {} : { digest }),
    ...(hardLink === undefined ? {} : { hardLink }),
    ...(fixes.length === 0 ? {} : { fixes }),
    ...(reason === undefined ? {} : { reason }),
  };
}
