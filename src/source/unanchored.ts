/**
 * What the copy that is typed by hand would lose. Its `--exclude root` is not anchored: GNU tar drops every component of
 * that name, wherever it is, with all that is below it (tar manual, "Controlling Pattern-Matching").
 */
import { isBelow } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';

/** As they stand in the command that engineers pass on. */
const USUAL_EXCLUDES = ['root', 'proc', 'dev', 'boot', 'var/spool/postfix', 'lib/modules'];

/** Where /lib leads to on newer systems: what is dropped there was meant. */
const MEANT = '/usr/lib/modules';

export interface UnanchoredLoss {
  readonly exclude: string;
  entries: number;
  /** The first of the topmost paths. */
  readonly examples: ByteString[];
}

const EXAMPLES = 10;

/** Takes the paths that are to be captured, in path order. */
export class UnanchoredLosses {
  readonly #losses = new Map<string, UnanchoredLoss>();
  /** The last path that was found lost, and by which: what is below it is lost with it. */
  #top: { readonly path: ByteString; readonly loss: UnanchoredLoss } | undefined;

  add(path: ByteString): void {
    if (this.#top !== undefined && isBelow(path, this.#top.path)) {
      this.#top.loss.entries += 1;
      return;
    }
    const exclude = USUAL_EXCLUDES.find((each) => path.endsWith(`/${each}`) && path.length > each.length + 1);
    if (exclude === undefined || path === MEANT) return;
    const loss = this.#losses.get(exclude) ?? { exclude, entries: 0, examples: [] };
    loss.entries += 1;
    if (loss.examples.length < EXAMPLES) loss.examples.push(path);
    this.#losses.set(exclude, loss);
    this.#top = { path, loss };
  }

  get result(): UnanchoredLoss[] {
    return [...this.#losses.values()];
  }
}
