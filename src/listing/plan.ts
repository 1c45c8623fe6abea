/**
 * The plan of a capture: which paths, in which parts. A part is one tar stream and one layer. Three rules shape them:
 * paths keep the listing's order; all names of one inode lie in one part; and each part carries an entry for every
 * directory its entries lie in, because an overlay shows a directory as the topmost layer that has it does, and an
 * extractor invents one that is missing.
 */
import { join } from 'node:path';
import type { ByteString } from '../printable.ts';
import type { Changes } from './changes.ts';
import { type Entry, inodeKey, isHardLinked, tarSize } from './entry.ts';
import { PartKey } from './part-key.ts';
import { comparePaths, isBelow } from './path.ts';
import { type ListedPath, PathListWriter } from './path-list.ts';
import { RECREATED, type Rule, type RuleSet } from './rules.ts';

export interface Part {
  readonly index: number;
  /** A {@link PathListWriter} file: what is asked of the source's tar, in order. */
  readonly pathsFile: string;
  readonly entries: number;
  /** Bytes its tar stream will have, as the listing has it. */
  readonly bytes: number;
  /** Paths of lower layers that this one hides. Their directories are among its entries. */
  readonly whiteouts: readonly ByteString[];
  /** See {@link PartKey}. */
  readonly key: string;
}

/** What one rule left out. */
interface Excluded {
  readonly rule: Rule;
  entries: number;
  /** Content bytes of regular files. */
  bytes: number;
  /** The first of them. */
  readonly examples: ByteString[];
}

const EXAMPLES = 20;

export interface CapturePlan {
  readonly parts: readonly Part[];
  readonly entries: number;
  /** Content bytes of regular files; each inode once. */
  readonly bytes: number;
  readonly tarBytes: number;
  readonly excluded: readonly Excluded[];
}

/** Bytes of tar after which a part ends: registries refuse or time out on layers of many GiB. */
const PART_BYTES = 1024 ** 3;
/** An overlay takes 128 layers, and there are deltas to come. */
const MOST_PARTS = 64;

interface OpenPart {
  readonly list: PathListWriter;
  readonly key: PartKey;
  readonly file: string;
  last: ByteString | undefined;
  entries: number;
  bytes: number;
  readonly whiteouts: ByteString[];
}

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
}

/** Decides for every entry and writes the parts' path lists into `directory`. */
export async function makePlan(
  listing: AsyncIterable<readonly Entry[]>,
  rules: RuleSet,
  directory: string,
  { partBytes = PART_BYTES, restless = new Set() }: PlanOptions = {},
): Promise<CapturePlan> {
  const planner = new Planner(rules, directory, { partBytes, restless });
  return plan(planner, listing, (to, entry) => to.add(entry));
}

/** The plan of a delta: what changed, with the directories above it, and whiteouts for what is gone. */
export async function makeDeltaPlan(changes: Changes, rules: RuleSet, directory: string): Promise<CapturePlan> {
  const sizes = { partBytes: PART_BYTES, restless: new Set<string>() };
  const planner = new Planner(rules, directory, sizes, changes);
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
  readonly #parts: OpenPart[] = [];
  readonly #excluded = new Map<string, Excluded>();
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
      const part = this.#parts.at(-1) ?? this.#open();
      this.#writeAncestors(part);
      part.whiteouts.push(next);
      next = this.#removed.at(-1);
    }
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
    const first = !isHardLinked(entry) || !this.#groups.has(inodeKey(entry));
    const part = this.#partFor(entry);
    this.#writeAncestors(part);
    this.#write(part, entry, first);
    this.#entries += 1;
  }

  /** An empty file in the place of one that is left out. */
  #recreate(entry: Entry): void {
    const part = this.#parts.at(-1) ?? this.#open();
    this.#writeAncestors(part);
    const { path, mode, uid, gid } = entry;
    this.#list(part, { path, hardLinked: false, made: { mode, uid, gid } });
    part.key.made(entry);
    part.bytes += tarSize({ ...entry, size: 0 });
  }

  #writeAncestors(part: OpenPart): void {
    for (const ancestor of this.#ancestors) {
      if (!ancestor.planned) this.#takeBack(ancestor);
      // What lies between an ancestor and the part's last path is below that ancestor, so it was written before it.
      const written =
        part.last !== undefined && (part.last === ancestor.entry.path || isBelow(part.last, ancestor.entry.path));
      if (!written) this.#write(part, ancestor.entry);
    }
  }

  /** A directory that was left out, but something below it is included: the path to it has to be there. */
  #takeBack(ancestor: Ancestor): void {
    ancestor.planned = true;
    const account = ancestor.rule === undefined ? undefined : this.#excluded.get(ancestor.rule.id);
    if (account !== undefined) account.entries -= 1;
    this.#entries += 1;
  }

  #partFor(entry: Entry): OpenPart {
    const known = isHardLinked(entry) ? this.#groups.get(inodeKey(entry)) : undefined;
    if (known !== undefined) return known;
    let part = this.#parts.at(-1);
    const size = tarSize(entry, this.#rules.writesHoles);
    if (part === undefined || (part.bytes > 0 && part.bytes + size > this.#options.partBytes)) part = this.#open();
    if (isHardLinked(entry)) this.#groups.set(inodeKey(entry), part);
    if (entry.type === 'f') this.#bytes += entry.size;
    return part;
  }

  #open(): OpenPart {
    const file = join(this.#directory, `part-${String(this.#parts.length).padStart(3, '0')}.paths`);
    const part: OpenPart = {
      list: new PathListWriter(file),
      key: new PartKey(this.#options.restless),
      file,
      last: undefined,
      entries: 0,
      bytes: 0,
      whiteouts: [],
    };
    this.#parts.push(part);
    return part;
  }

  /** A further name of an inode goes out as a hard link, without content. */
  #write(part: OpenPart, entry: Entry, withContent = true): void {
    this.#list(part, { path: entry.path, hardLinked: isHardLinked(entry) });
    part.key.add(entry);
    part.bytes += tarSize(withContent ? entry : { ...entry, size: 0 }, this.#rules.writesHoles);
  }

  #list(part: OpenPart, listed: ListedPath): void {
    part.list.add(listed);
    part.last = listed.path;
    part.entries += 1;
  }

  async drain(): Promise<void> {
    for (const part of this.#parts) await part.list.drain();
  }

  async finish(): Promise<CapturePlan> {
    this.#hideUpTo(undefined);
    for (const part of this.#parts) await part.list.finish();
    return {
      parts: this.#parts.map((part, index) => ({
        index,
        pathsFile: part.file,
        entries: part.entries,
        bytes: part.bytes,
        whiteouts: part.whiteouts,
        key: part.key.end(part.whiteouts),
      })),
      entries: this.#entries,
      bytes: this.#bytes,
      tarBytes: this.#parts.reduce((sum, part) => sum + part.bytes, 0),
      excluded: [...this.#excluded.values()].filter((account) => account.entries > 0),
    };
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.list.close();
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
