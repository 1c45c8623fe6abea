/**
 * The plan of a capture: which paths, in which parts. A part is one tar stream and one layer. Four rules shape them:
 * paths keep the listing's order; what is stored beside the image as a volume shares no part with the image; all names
 * that an inode has in one of these trees lie in one part; and each part carries an entry for every directory its entries
 * lie in, because an overlay shows a directory as the topmost layer that has it does, and an extractor invents one that is
 * missing.
 */
import { join } from 'node:path';
import type { ByteString } from '../printable.ts';
import type { Changes } from './changes.ts';
import { type Entry, inodeKey, isHardLinked } from './entry.ts';
import { OpenPart, type Part } from './part.ts';
import { comparePaths, isBelow } from './path.ts';
import { RECREATED, type Rule, type RuleSet } from './rules.ts';
import { Trees, type VolumePlace } from './trees.ts';

/** What one rule left out. */
export interface Excluded {
  readonly rule: Rule;
  readonly entries: number;
  /** Content bytes of regular files. */
  readonly bytes: number;
  /** The first of them. */
  readonly examples: readonly ByteString[];
}

interface OpenAccount {
  readonly rule: Rule;
  entries: number;
  bytes: number;
  readonly examples: ByteString[];
}

const EXAMPLES = 20;

export interface CapturePlan {
  readonly parts: readonly Part[];
  readonly entries: number;
  /** Content bytes of regular files; each inode once in each tree. */
  readonly bytes: number;
  readonly tarBytes: number;
  /** Volumes whose folder is gone, or is no folder: what layers below this plan's have of them counts no more. */
  readonly goneVolumes: readonly ByteString[];
  readonly excluded: readonly Excluded[];
}

/** Bytes of tar after which a part ends: registries refuse or time out on layers of many GiB. */
const PART_BYTES = 1024 ** 3;
/** An overlay takes 128 layers, and there are deltas to come. */
const MOST_PARTS = 64;

/** A directory above the current path. `planned` once an entry of it is in the plan. */
interface Ancestor {
  readonly entry: Entry;
  planned: boolean;
  readonly rule: Rule | undefined;
}

export interface PlanOptions {
  readonly partBytes?: number;
  /** Directories whose times mean nothing: the kernel's filesystems are mounted there. */
  readonly restless?: ReadonlySet<string>;
  readonly volumes?: readonly VolumePlace[];
}

const DEFAULTS = { partBytes: PART_BYTES, restless: new Set<string>(), volumes: [] };

/** Decides for every entry and writes the parts' path lists into `directory`. */
export async function makePlan(
  listing: AsyncIterable<readonly Entry[]>,
  rules: RuleSet,
  directory: string,
  options: PlanOptions = {},
): Promise<CapturePlan> {
  const planner = new Planner(rules, directory, { ...DEFAULTS, ...options });
  return plan(planner, listing, (to, entry) => to.add(entry));
}

/** The plan of a delta: what changed, with the directories above it, and whiteouts for what is gone. */
export async function makeDeltaPlan(
  changes: Changes,
  rules: RuleSet,
  directory: string,
  volumes: readonly VolumePlace[] = [],
): Promise<CapturePlan> {
  const planner = new Planner(rules, directory, { ...DEFAULTS, volumes }, changes);
  return plan(planner, changes.marked(), (to, { entry, changed }) => (changed ? to.add(entry) : to.pass(entry)));
}

async function plan<Item>(
  planner: Planner,
  batches: AsyncIterable<readonly Item[]>,
  take: (planner: Planner, item: Item) => void,
): Promise<CapturePlan> {
  try {
    for await (const batch of batches) {
      for (const item of batch) take(planner, item);
      await planner.drain();
    }
    return await planner.finish();
  } finally {
    await planner.close();
  }
}

class Planner {
  readonly #rules: RuleSet;
  readonly #directory: string;
  readonly #options: Required<PlanOptions>;
  readonly #trees: Trees;
  readonly #parts: OpenPart[] = [];
  /** Of each tree, the part that is being filled. */
  readonly #filling = new Map<ByteString | undefined, OpenPart>();
  readonly #goneVolumes = new Set<ByteString>();
  readonly #excluded = new Map<string, OpenAccount>();
  /** Which part a hard-link group went to. Grows with the groups only, not with the listing. */
  readonly #groups = new Map<string, OpenPart>();
  /** The directories above the current path, outermost first. */
  readonly #ancestors: Ancestor[] = [];
  /** Paths to be hidden that the entries have not come to yet, the next one last. */
  readonly #removed: ByteString[];
  /** Directories that are taken whatever a rule says. */
  readonly #ways: ReadonlySet<string>;
  #entries = 0;
  #bytes = 0;

  constructor(
    rules: RuleSet,
    directory: string,
    options: Required<PlanOptions>,
    { removed, ways }: Pick<Changes, 'removed' | 'ways'> = { removed: [], ways: new Set() },
  ) {
    this.#rules = rules;
    this.#directory = directory;
    this.#options = options;
    this.#trees = new Trees(options.volumes);
    this.#removed = [...removed].reverse();
    this.#ways = ways;
  }

  /** An entry that is not asked for: it matters only as the directory of others. */
  pass(entry: Entry): void {
    this.#hideUpTo(entry.path);
    this.#leaveDirectories(entry.path);
    if (entry.type === 'd') this.#ancestors.push({ entry, planned: false, rule: undefined });
  }

  add(entry: Entry): void {
    this.#hideUpTo(entry.path);
    this.#leaveDirectories(entry.path);
    if (entry.type !== 'd') this.#loseVolumes(entry.path);
    const rule = this.#rules.decide(entry);
    const included = rule === undefined || rule.action === 'include' || this.#ways.has(entry.path);
    if (included) this.#include(entry);
    else this.#exclude(entry, rule);
    if (rule === RECREATED) this.#recreate(entry);
    if (entry.type === 'd') this.#ancestors.push({ entry, planned: included, rule: included ? undefined : rule });
  }

  /** What is gone and sorts before this path: the directories it lay in are the ones above us now. */
  #hideUpTo(path: ByteString | undefined): void {
    let next = this.#removed.at(-1);
    while (next !== undefined && (path === undefined || comparePaths(next, path) < 0)) {
      this.#removed.pop();
      this.#leaveDirectories(next);
      this.#loseVolumes(next);
      let part = this.#fillingFor(next);
      if (!part.canHide) part = this.#open(this.#trees.of(next));
      this.#writeAncestors(part);
      part.hide(next);
      next = this.#removed.at(-1);
    }
  }

  #loseVolumes(path: ByteString): void {
    for (const volume of this.#trees.mountedWithin(path)) this.#goneVolumes.add(volume);
  }

  #leaveDirectories(path: ByteString): void {
    let top = this.#ancestors.at(-1);
    while (top !== undefined && !isBelow(path, top.entry.path)) {
      this.#ancestors.pop();
      top = this.#ancestors.at(-1);
    }
  }

  #exclude(entry: Entry, rule: Rule): void {
    const account = this.#excluded.get(rule.id) ?? { rule, entries: 0, bytes: 0, examples: [] };
    account.entries += 1;
    if (entry.type === 'f') account.bytes += entry.size;
    if (account.examples.length < EXAMPLES) account.examples.push(entry.path);
    this.#excluded.set(rule.id, account);
  }

  #include(entry: Entry): void {
    const first = !isHardLinked(entry) || !this.#groups.has(this.#groupOf(entry));
    const part = this.#partFor(entry);
    this.#writeAncestors(part);
    part.write(entry, first);
    this.#entries += 1;
    if (entry.type === 'd' && this.#trees.isMountPoint(entry.path)) this.#beginVolume(entry);
  }

  /** The volume's own root, whose owner and mode it has from there: also where nothing is below. */
  #beginVolume(entry: Entry): void {
    const part = this.#filling.get(entry.path) ?? this.#open(entry.path);
    this.#writeAncestors(part);
    part.write(entry);
  }

  #recreate(entry: Entry): void {
    const part = this.#fillingFor(entry.path);
    this.#writeAncestors(part);
    part.make(entry);
  }

  #writeAncestors(part: OpenPart): void {
    for (const ancestor of this.#ancestors) {
      if (!ancestor.planned) this.#takeBack(ancestor);
      if (!part.has(ancestor.entry.path)) part.write(ancestor.entry);
    }
  }

  /** A directory that was left out, but something below it is included: the path to it has to be there. */
  #takeBack(ancestor: Ancestor): void {
    ancestor.planned = true;
    const account = ancestor.rule === undefined ? undefined : this.#excluded.get(ancestor.rule.id);
    if (account !== undefined) account.entries -= 1;
    this.#entries += 1;
  }

  /** Names that an inode has in several trees are files of their own there: no layer links to another tree's. */
  #groupOf(entry: Entry): string {
    return `${inodeKey(entry)}:${this.#trees.of(entry.path) ?? ''}`;
  }

  #partFor(entry: Entry): OpenPart {
    const known = isHardLinked(entry) ? this.#groups.get(this.#groupOf(entry)) : undefined;
    if (known !== undefined) return known;
    const tree = this.#trees.of(entry.path);
    let part = this.#filling.get(tree);
    const size = this.#rules.tarSize(entry);
    if (part === undefined || (part.bytes > 0 && part.bytes + size > this.#options.partBytes)) part = this.#open(tree);
    if (isHardLinked(entry)) this.#groups.set(this.#groupOf(entry), part);
    if (entry.type === 'f') this.#bytes += entry.size;
    return part;
  }

  #fillingFor(path: ByteString): OpenPart {
    const tree = this.#trees.of(path);
    return this.#filling.get(tree) ?? this.#open(tree);
  }

  #open(tree: ByteString | undefined): OpenPart {
    const file = join(this.#directory, `part-${String(this.#parts.length).padStart(3, '0')}.paths`);
    const { restless } = this.#options;
    const part = new OpenPart(file, tree, { restless, rules: this.#rules });
    this.#parts.push(part);
    this.#filling.set(tree, part);
    return part;
  }

  async drain(): Promise<void> {
    for (const part of this.#parts) await part.drain();
  }

  async finish(): Promise<CapturePlan> {
    this.#hideUpTo(undefined);
    const parts: Part[] = [];
    for (const [index, part] of this.#parts.entries()) parts.push(await part.finish(index));
    return {
      parts,
      entries: this.#entries,
      bytes: this.#bytes,
      tarBytes: this.#parts.reduce((sum, part) => sum + part.bytes, 0),
      goneVolumes: [...this.#goneVolumes],
      excluded: [...this.#excluded.values()].filter((account) => account.entries > 0),
    };
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}

/**
 * The size that parts should have so that there are at most 64 of them.
 * @param wanted bytes; larger where there would be too many.
 */
export function partBytesFor(totalTarBytes: number, wanted: number = PART_BYTES): number {
  // Hard-link groups and single large files overrun a part: room for them, so that the bound holds.
  return Math.max(wanted, Math.ceil((totalTarBytes * 1.1) / MOST_PARTS));
}

/** How many parts there will be, about: where each ends depends on the sizes of its files. */
export function estimatedParts(tarBytes: number, wanted?: number): number {
  return Math.max(1, Math.ceil(tarBytes / partBytesFor(tarBytes, wanted)));
}
