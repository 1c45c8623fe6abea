/** Accounts for every path that a source's listings hold, in path order and bounded memory. */
import type { Changes, Marked } from '../../listing/changes.ts';
import type { Entry } from '../../listing/entry.ts';
import { pairEntries } from '../../listing/merge.ts';
import { comparePaths } from '../../listing/path.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { Listing } from '../../listing/storage.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import { type Captured, CaptureLogReader } from './capture-log.ts';
import type { ReceiptLine } from './form.ts';

export interface AccountInput {
  /** The listing whose plan was streamed. */
  readonly streamed: Listing;
  /** Those of the last look: its newer listing is what the source holds now. */
  readonly lastChanges: Changes;
  readonly rules: RuleSet;
  /** Capture logs of the layers, the lowest first. */
  readonly logs: readonly string[];
  /** What the source's tar said of paths that it did not deliver, by the path as people see it. */
  readonly reasons: ReadonlyMap<string, string>;
}

export async function* accountForPaths(input: AccountInput): AsyncGenerator<readonly ReceiptLine[]> {
  const layers = new Layers(input.logs);
  const marks = new Marks(input.lastChanges);
  try {
    for await (const pairs of pairEntries(input.streamed.batches(), input.lastChanges.after.batches())) {
      const lines: ReceiptLine[] = [];
      for (const { before, after } of pairs) {
        if (after === undefined) {
          if (before !== undefined) lines.push({ path: before.path, type: before.type, verdict: 'vanished' });
          continue;
        }
        if (marks.used) await marks.refill();
        lines.push(lineOf(input, after, layers.find(after.path), marks.next()));
      }
      yield lines;
    }
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

function lineOf({ rules, reasons }: AccountInput, entry: Entry, found: Found | undefined, moved: boolean): ReceiptLine {
  const { path, type } = entry;
  if (found !== undefined) return inImage(entry, found, moved);
  const rule = rules.decide(entry);
  if (rule?.action === 'exclude') return { path, type, verdict: 'left-out', rule: rule.id };
  const reason = reasons.get(printablePath(path)) ?? "the source's tar did not deliver it, and said nothing of it";
  return { path, type, verdict: 'unreadable', reason };
}

function inImage({ path, type }: Entry, { layer, captured }: Found, moved: boolean): ReceiptLine {
  const { digest, hardLink, fixes } = captured;
  return {
    path,
    type,
    verdict: moved ? 'changed' : fixes.length > 0 ? 'fixed' : 'captured',
    layer,
    ...(digest === undefined ? {} : { digest }),
    ...(hardLink === undefined ? {} : { hardLink }),
    ...(fixes.length === 0 ? {} : { fixes }),
  };
}

interface Found {
  readonly layer: number;
  readonly captured: Captured;
}

/** The logs of all layers, read side by side. */
class Layers {
  readonly #readers: readonly CaptureLogReader[];

  constructor(files: readonly string[]) {
    this.#readers = files.map((file) => new CaptureLogReader(file));
  }

  /** The topmost layer that holds the path. Paths are asked for in their order. */
  find(path: ByteString): Found | undefined {
    let found: Found | undefined;
    for (const [layer, reader] of this.#readers.entries()) {
      while (reader.current !== undefined && comparePaths(reader.current.path, path) < 0) reader.next();
      if (reader.current?.path === path) found = { layer, captured: reader.current };
    }
    return found;
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }
}
