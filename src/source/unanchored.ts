/**
 * What the copy that is typed by hand would lose. Its `--exclude root` is not anchored: GNU tar drops every component of
 * that name, wherever it is, with all that is below it (tar manual, "Controlling Pattern-Matching").
 */
import { LowestPaths } from '../listing/lowest.ts';
import { isAtOrBelow } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';

/** As they stand in the command that engineers pass on. */
const USUAL_EXCLUDES = ['root', 'proc', 'dev', 'boot', 'var/spool/postfix', 'lib/modules'];

const LAST_LETTERS: ReadonlySet<number> = new Set(USUAL_EXCLUDES.map((each) => each.charCodeAt(each.length - 1)));

/** Where /lib leads to on newer systems: what is dropped there was meant. */
const MEANT = '/usr/lib/modules';

export interface UnanchoredLoss {
  readonly exclude: string;
  readonly entries: number;
  /** The first of the topmost paths. */
  readonly examples: readonly ByteString[];
}

const EXAMPLES = 10;

/** What one of the excludes takes. */
class Loss {
  entries = 0;
  readonly examples = new LowestPaths(EXAMPLES);
}

export class UnanchoredLosses {
  /** In the order in which they stand in the command. */
  readonly #losses: ReadonlyMap<string, Loss> = new Map(USUAL_EXCLUDES.map((exclude) => [exclude, new Loss()]));

  /** @param start the tree's root: what is around it may be lost with all that is below. */
  walk(start: ByteString): UnanchoredWalk {
    return new UnanchoredWalk(this.#losses, start);
  }

  get result(): UnanchoredLoss[] {
    return [...this.#losses]
      .filter(([, { entries }]) => entries > 0)
      .map(([exclude, { entries, examples }]) => ({ exclude, entries, examples: examples.paths }));
  }
}

/** One walk over a tree: takes the paths that are to be captured, a directory before what is in it. */
export class UnanchoredWalk {
  readonly #losses: ReadonlyMap<string, Loss>;
  /** The last topmost path that is lost, and by which: what is below it is lost with it. */
  #top: { readonly path: ByteString; readonly loss: Loss } | undefined;

  constructor(losses: ReadonlyMap<string, Loss>, start: ByteString) {
    this.#losses = losses;
    for (let slash = start.indexOf('/', 1); slash >= 0; slash = start.indexOf('/', slash + 1)) {
      this.pass(start.slice(0, slash) as ByteString);
    }
    this.pass(start);
  }

  add(path: ByteString): void {
    this.pass(path);
    const top = this.#top;
    if (top === undefined || !isAtOrBelow(path, top.path)) return;
    top.loss.entries += 1;
    top.loss.examples.add(top.path);
  }

  /** A directory that is left out: what is taken below it may be lost all the same. */
  pass(path: ByteString): void {
    if (this.#top !== undefined && isAtOrBelow(path, this.#top.path)) return;
    // Of nearly all paths the last letter tells.
    if (!LAST_LETTERS.has(path.charCodeAt(path.length - 1))) return;
    const exclude = USUAL_EXCLUDES.find((each) => path.endsWith(each) && isAComponent(path, each));
    const loss = exclude === undefined || path === MEANT ? undefined : this.#losses.get(exclude);
    if (loss !== undefined) this.#top = { path, loss };
  }
}

/** Whole components at the end of a path, and not all of it: `/root` itself is meant. */
function isAComponent(path: ByteString, name: string): boolean {
  const slash = path.length - name.length - 1;
  return slash > 0 && path.charAt(slash) === '/';
}
