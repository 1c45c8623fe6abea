/**
 * What a capture would take, counted while the files are listed: in find's own order, tree by tree, without a sorted
 * listing. It comes to what the plan comes to (`plan.ts`), but for the directories that each further layer repeats.
 */
import type { ByteString } from '../printable.ts';
import { type Entry, inodeKey, isHardLinked, tarSize } from './entry.ts';
import { LowestPaths } from './lowest.ts';
import { comparePaths, parentOf } from './path.ts';
import type { Excluded } from './plan.ts';
import { RECREATED, type Rule, type RuleSet } from './rules.ts';
import { Trees, type VolumePlace } from './trees.ts';

const EXAMPLES = 20;
const NOWHERE = '/' as ByteString;
/** Of tar: what has no content. */
const HEADERS = tarSize({ type: 'f', size: 0 });

/** What one rule left out. */
interface Account {
  readonly rule: Rule;
  entries: number;
  bytes: number;
  readonly examples: LowestPaths;
}

/** A directory above the current path. `planned` once an entry of it is counted. */
interface Ancestor {
  readonly path: ByteString;
  planned: boolean;
  readonly account: Account | undefined;
}

/** Where another walk goes on, and the directories above and there. */
interface Junction {
  readonly walk: TallyWalk;
  readonly ancestors: readonly Ancestor[];
}

export interface CaptureTally {
  readonly entries: number;
  /** Content bytes of regular files; each inode once in each tree. */
  readonly bytes: number;
  readonly tarBytes: number;
  readonly excluded: readonly Excluded[];
}

export class Tally {
  readonly #rules: RuleSet;
  readonly #trees: Trees;
  readonly #accounts = new Map<string, Account>();
  /** Hard-link groups of which a name came. Grows with the groups only, not with the listing. */
  readonly #groups = new Set<string>();
  readonly #walks: TallyWalk[] = [];
  readonly #junctions = new Map<ByteString, Junction>();
  #entries = 0;
  #bytes = 0;
  #tarBytes = 0;

  constructor(rules: RuleSet, volumes: readonly VolumePlace[]) {
    this.#rules = rules;
    this.#trees = new Trees(volumes);
  }

  /** Entries of one tree, a directory before what is in it. @param start the tree's root. */
  walk(start: ByteString): TallyWalk {
    const walk = new TallyWalk(this, start);
    this.#walks.push(walk);
    return walk;
  }

  /** Once all walks are done: what is left out in path order. */
  result(): CaptureTally {
    for (const walk of this.#walks) if (walk.leads) this.#takeBackTo(walk);
    const accounts = [...this.#accounts.values()].filter((account) => account.entries > 0);
    const excluded = accounts.map(({ examples, ...account }) => ({ ...account, examples: examples.paths }));
    excluded.sort(({ examples: [a = NOWHERE] }, { examples: [b = NOWHERE] }) => comparePaths(a, b));
    return { entries: this.#entries, bytes: this.#bytes, tarBytes: this.#tarBytes, excluded };
  }

  /** The way to a walk that includes something leads through the trees around it. */
  #takeBackTo(walk: TallyWalk): void {
    // What is around it may have been entered by no walk: then what is around that.
    let place = walk.start;
    let junction = this.#junctions.get(place);
    for (; place !== '/' && (junction === undefined || junction.walk === walk); junction = this.#junctions.get(place)) {
      place = parentOf(place);
    }
    if (junction === undefined || junction.walk === walk) return;
    for (const ancestor of junction.ancestors) this.takeBack(ancestor);
    this.#takeBackTo(junction.walk);
  }

  join(path: ByteString, junction: Junction): void {
    this.#junctions.set(path, junction);
  }

  exclude(entry: Entry, rule: Rule): Account {
    let account = this.#accounts.get(rule.id);
    if (account === undefined) {
      account = { rule, entries: 0, bytes: 0, examples: new LowestPaths(EXAMPLES) };
      this.#accounts.set(rule.id, account);
    }
    account.entries += 1;
    if (entry.type === 'f') account.bytes += entry.size;
    account.examples.add(entry.path);
    if (rule === RECREATED) this.#tarBytes += HEADERS;
    return account;
  }

  include(entry: Entry): undefined {
    this.#entries += 1;
    if (!isHardLinked(entry) || this.#isFirstName(entry)) {
      if (entry.type === 'f') this.#bytes += entry.size;
      this.#tarBytes += this.#rules.tarSize(entry);
    } else this.#tarBytes += HEADERS;
  }

  /** A directory that was left out, but something below it is included: the path to it has to be there. */
  takeBack(ancestor: Ancestor): void {
    if (ancestor.planned) return;
    ancestor.planned = true;
    if (ancestor.account !== undefined) ancestor.account.entries -= 1;
    this.#entries += 1;
    this.#tarBytes += HEADERS;
  }

  #isFirstName(entry: Entry): boolean {
    const key = `${inodeKey(entry)}:${this.#trees.of(entry.path) ?? ''}`;
    if (this.#groups.has(key)) return false;
    this.#groups.add(key);
    return true;
  }
}

/** One walk over a tree: a directory comes before what is in it. */
export class TallyWalk {
  readonly start: ByteString;
  /** Whether something of the tree is captured, so that the way there has to be. */
  leads = false;
  readonly #tally: Tally;
  /** Outermost first. Up to `#planned` all of them are. */
  readonly #ancestors: Ancestor[] = [];
  #planned = 0;

  constructor(tally: Tally, start: ByteString) {
    this.#tally = tally;
    this.start = start;
  }

  /**
   * @param above how many of the directories that came are above it.
   * @param rule the one that decides for the entry.
   * @param junction true where another walk may go on.
   */
  add(entry: Entry, above: number, rule: Rule | undefined, junction: boolean): void {
    this.#leaveDirectories(above);
    const included = rule === undefined || rule.action === 'include';
    if (included || rule === RECREATED) this.#leadHere();
    const account = included ? this.#tally.include(entry) : this.#tally.exclude(entry, rule);
    if (entry.type !== 'd') return;
    this.#ancestors.push({ path: entry.path, planned: included, account });
    if (included) this.#planned = this.#ancestors.length;
    if (junction) this.#tally.join(entry.path, { walk: this, ancestors: [...this.#ancestors] });
  }

  /** In the place of `add`: a directory that another walk counts. */
  pass(path: ByteString): void {
    this.#ancestors.push({ path, planned: true, account: undefined });
    this.#planned = this.#ancestors.length;
  }

  #leadHere(): void {
    this.leads = true;
    for (; this.#planned < this.#ancestors.length; this.#planned += 1) {
      const ancestor = this.#ancestors[this.#planned];
      if (ancestor !== undefined) this.#tally.takeBack(ancestor);
    }
  }

  #leaveDirectories(above: number): void {
    if (this.#ancestors.length === above) return;
    this.#ancestors.length = above;
    this.#planned = Math.min(this.#planned, above);
  }
}
