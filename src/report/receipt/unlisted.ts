/** What no listing has that a receipt is made of: it came and went between looks, or the last find could not look at it. */
import { asEntry, type Unseen } from '../../listing/blind-spots.ts';
import type { Changes } from '../../listing/changes.ts';
import { classOf } from '../../listing/file-class.ts';
import { comparePaths } from '../../listing/path.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { ByteString } from '../../printable.ts';
import type { ReceiptLine } from './form.ts';
import { inImage, whyMissing } from './in-image.ts';
import type { Layers } from './layers.ts';

interface UnlistedInput {
  readonly rules: RuleSet;
  readonly lastChanges: Changes;
}

export class Unlisted {
  readonly #rules: RuleSet;
  readonly #changes: Changes;
  readonly #layers: Layers;
  readonly #unseen: readonly Unseen[];
  #at = 0;

  constructor({ rules, lastChanges }: UnlistedInput, layers: Layers) {
    this.#rules = rules;
    this.#changes = lastChanges;
    this.#layers = layers;
    this.#unseen = lastChanges.blindSpots.unseen;
  }

  /**
   * Why the path that comes next could not be looked into; of what is before it, and in no listing, lines are added.
   * @param path undefined after the last.
   */
  reasonOf(path: ByteString | undefined, lines: ReceiptLine[]): string | undefined {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      if (path !== undefined && comparePaths(next, path) >= 0) break;
      const line = this.#lineOf(next, this.#taken(next));
      if (line !== undefined) lines.push(line);
    }
    const unseen = path === undefined ? undefined : this.#taken(path);
    return unseen === undefined ? undefined : notLookedInto(unseen);
  }

  get #next(): ByteString | undefined {
    const unseen = this.#unseen[this.#at]?.path;
    const { next } = this.#layers;
    return unseen === undefined || (next !== undefined && comparePaths(next, unseen) < 0) ? next : unseen;
  }

  /** What was not seen at that path, which is then passed. */
  #taken(path: ByteString): Unseen | undefined {
    const unseen = this.#unseen[this.#at];
    if (unseen?.path !== path) return undefined;
    this.#at += 1;
    return unseen;
  }

  #lineOf(path: ByteString, unseen: Unseen | undefined): ReceiptLine | undefined {
    const { found } = this.#layers.find(path);
    if (found !== undefined) {
      const seen = { path, type: found.captured.type ?? 'f' };
      const said = unseen === undefined ? whyMissing(this.#changes, path) : notLookedInto(unseen);
      return inImage(seen, found, { moved: false, stood: true, said });
    }
    if (unseen === undefined) return undefined;
    const { type } = asEntry(unseen);
    const rule = this.#rules.decide(asEntry(unseen));
    if (rule?.action === 'exclude') return { path, type, verdict: 'left-out', rule: rule.id };
    const reason = `find could not look at it: ${unseen.reason}`;
    return { path, type, verdict: 'unreadable', class: classOf(path, type), reason };
  }
}

function notLookedInto({ reason }: Unseen): string {
  return `find could not look into it: ${reason}`;
}
