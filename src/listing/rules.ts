/**
 * Which paths go into the image. A rule is an anchored pattern with a reason; rules lie in levels (command line before
 * inventory, profile and base), and the first level with a rule for a path decides. Within a level the more specific
 * pattern wins, and an exclusion over an inclusion of equal weight.
 */
import type { ByteString } from '../printable.ts';
import { type Entry, tarSize } from './entry.ts';
import { Holes } from './holes.ts';
import { isAtOrBelow, lastSlash } from './path.ts';
import { type Pattern, parsePattern } from './pattern.ts';

/** Where a rule comes from, in the order in which they are asked. */
export type RuleLevel = 'source' | 'command line' | 'inventory' | 'profile' | 'base';

const SLASH = 0x2f;

const LEVELS: readonly RuleLevel[] = ['source', 'command line', 'inventory', 'profile', 'base'];

export interface RuleInput {
  readonly level: RuleLevel;
  readonly action: 'exclude' | 'include';
  readonly pattern: string;
  readonly reason: string;
  /** Only entries of this type. */
  readonly type?: Entry['type'] | undefined;
  /** Of what is at these places and below them it says nothing. */
  readonly except?: readonly ByteString[] | undefined;
}

export interface Rule extends RuleInput {
  /** Unique and stable: `base:/proc/**`. */
  readonly id: string;
}

/** A directory whose entries came, and the rules that may speak of what lies in it: most rules speak of other places. */
interface Surroundings {
  readonly directory: string;
  /** Of anything below it. */
  readonly below: readonly CompiledRule[];
  /** Of what lies in it itself. */
  readonly here: readonly CompiledRule[];
}

interface CompiledRule {
  readonly rule: Rule;
  /** Of the rule. */
  readonly type: Entry['type'] | undefined;
  readonly pattern: Pattern;
  readonly except: ReadonlySet<string>;
  /** True once it decided for an entry. */
  used: boolean;
}

/**
 * What becomes of files with more than 1 GiB of holes that no rule speaks of: `skip` leaves them out by name, `expand`
 * takes them with their holes as zeros, `pax` takes them as GNU tar's sparse format 1.0 in pax headers.
 */
export const SPARSE_POLICIES = ['skip', 'expand', 'pax'] as const;
export type SparsePolicy = (typeof SPARSE_POLICIES)[number];

/** The rules of one capture. `source` rules are facts (a bind mount, a socket) and cannot be overridden. */
export class RuleSet {
  /** In the order in which they are asked. */
  readonly #rules: readonly CompiledRule[];
  /** Outermost first: of the entry before, and entries come directory by directory. */
  #surroundings: Surroundings[] = [];
  readonly #sparse: SparsePolicy;
  /** Those of the source's files. */
  readonly holes: Holes;

  /** @throws P2cError `rule.invalid` for a pattern that is none. */
  constructor(inputs: readonly RuleInput[], sparse: SparsePolicy = 'skip', holes = new Holes()) {
    this.#sparse = sparse;
    this.holes = holes;
    const compiled = inputs.map((input) => ({
      rule: { ...input, id: ruleId(input) },
      type: input.type,
      pattern: parsePattern(input.pattern),
      except: new Set(input.except),
      used: false,
    }));
    this.#rules = LEVELS.flatMap((level) => compiled.filter((item) => item.rule.level === level).sort(bySpecificity));
  }

  /** Whether the holes of a file that is taken go out as zeros. */
  get writesHoles(): boolean {
    return this.#sparse !== 'pax';
  }

  /** What an entry that is taken will occupy in a tar stream. */
  tarSize(entry: Entry): number {
    return tarSize(entry, this.writesHoles ? 0 : this.holes.of(entry));
  }

  /** All that `decide` can give. */
  get rules(): Rule[] {
    return [...this.#rules.map((item) => item.rule), SPARSE, RECREATED];
  }

  /** Rules that somebody wrote for this server, and that decided for no entry yet: a slip of the pen, most likely. */
  get unused(): Rule[] {
    const written = this.#rules.filter(({ rule }) => rule.level !== 'source' && rule.level !== 'base');
    return written.filter(({ used }) => !used).map(({ rule }) => rule);
  }

  /**
   * The rule that decides for an entry; undefined where none speaks of it, which includes it. A file that is mostly
   * holes is left out unless a rule or the policy takes it: tar would write its holes as zeros, and lastlog can claim 400 GB.
   */
  decide(entry: Pick<Entry, 'path' | 'type' | 'size' | 'blocks'>): Rule | undefined {
    for (const compiled of this.#around(entry.path)) {
      if (compiled.type !== undefined && compiled.type !== entry.type) continue;
      if (!compiled.pattern.matches(entry) || isWithin(entry.path, compiled.except)) continue;
      compiled.used = true;
      return compiled.rule;
    }
    if (this.holes.of(entry) <= LARGEST_HOLES) return undefined;
    // Whatever the policy: podman writes out the holes of a sparse file that it unpacks.
    if (INDEXED_BY_UID.has(entry.path)) return RECREATED;
    return this.#sparse === 'skip' ? SPARSE : undefined;
  }

  /** The rules that may speak of a path. What may be matched below a directory may be matched below those above it. */
  #around(path: ByteString): readonly CompiledRule[] {
    const around = this.#surroundings;
    const length = lastSlash(path);
    while (around.length > 0) {
      const top = around[around.length - 1];
      if (top !== undefined && top.directory.length <= length && isIn(path, top.directory)) {
        return top.directory.length === length ? top.here : this.#enter(path.slice(0, length), top);
      }
      around.pop();
    }
    return this.#enter(path.slice(0, length), undefined);
  }

  /** Apart from what runs for each entry, so that V8 makes little of that. */
  #enter(directory: string, top: Surroundings | undefined): readonly CompiledRule[] {
    const place = (directory === '' ? '/' : directory) as ByteString;
    const below = (top?.below ?? this.#rules).filter(({ pattern }) => pattern.mayMatchBelow(place));
    const here = below.filter(({ pattern }) => !pattern.contents || pattern.matchesAllBelow(place));
    this.#surroundings.push({ directory, below, here });
    return here;
  }

  /** Rules that another set has too, and that decided there, are in use. */
  addUseOf(other: RuleSet): void {
    const used = new Set(other.#rules.flatMap(({ rule, used }) => (used ? [rule.id] : [])));
    for (const compiled of this.#rules) compiled.used ||= used.has(compiled.rule.id);
  }

  /** True where nothing that may lie below a directory is taken. */
  leavesOutBelow(path: ByteString): boolean {
    for (const compiled of this.#rules) {
      const { rule, pattern, except } = compiled;
      if (rule.action === 'include' && pattern.mayMatchBelow(path)) return false;
      if (rule.action !== 'exclude' || rule.type !== undefined || !pattern.matchesAllBelow(path)) continue;
      if (isWithin(path, except) || rule.except?.some((place) => isAtOrBelow(place, path))) continue;
      compiled.used = true;
      return true;
    }
    return false;
  }

  /** True where of the files that may lie below a directory only such are taken as a rule names in particular. */
  leavesOutMost(path: ByteString): boolean {
    const all = this.#rules.find(
      ({ rule, pattern }) => (rule.type === undefined || rule.type === 'f') && pattern.matchesAllBelow(path),
    );
    return all?.rule.action === 'exclude';
  }
}

/** A rule may have thousands of exceptions, and a path has few parts. */
function isWithin(path: ByteString, places: ReadonlySet<string>): boolean {
  if (places.size === 0) return false;
  for (let end = path.indexOf('/', 1); end >= 0; end = path.indexOf('/', end + 1)) {
    if (places.has(path.slice(0, end))) return true;
  }
  return places.has(path);
}

const LARGEST_HOLES = 1024 ** 3;

const SPARSE: Rule = {
  id: 'sparse',
  level: 'base',
  action: 'exclude',
  pattern: '/**',
  type: 'f',
  reason:
    'more than 1 GiB of it has no blocks: holes, which a tar would write out; --include PATH or --sparse takes it all the same',
};

/** Files whose size is the highest user ID times a record: with IDs of a directory service, hundreds of gigabytes of holes. */
const INDEXED_BY_UID: ReadonlySet<string> = new Set(['/var/log/lastlog', '/var/log/faillog', '/var/log/tallylog']);

/** Left out, and an empty file with the same attributes put in its place: programs that write to it want it to be there. */
export const RECREATED: Rule = {
  ...SPARSE,
  id: 'recreated-empty',
  reason:
    'logins by user ID, with more than 1 GiB of holes: an empty file takes its place; --include PATH takes it all the same',
};

/** @param directory without its slash: the root's is empty. */
function isIn(path: string, directory: string): boolean {
  return path.charCodeAt(directory.length) === SLASH && path.startsWith(directory);
}

function bySpecificity(a: CompiledRule, b: CompiledRule): number {
  if (a.pattern.specificity !== b.pattern.specificity) return b.pattern.specificity - a.pattern.specificity;
  if (a.rule.action === b.rule.action) return 0;
  return a.rule.action === 'exclude' ? -1 : 1;
}

function ruleId(input: RuleInput): string {
  const sign = input.action === 'include' ? '+' : '';
  return `${input.level}:${sign}${input.pattern}${input.type === undefined ? '' : `(${input.type})`}`;
}

/** A pattern that matches a path of the source literally, for rules made from facts. */
export function literalPattern(path: string): string {
  return path.replace(/[*?[\]\\]/g, '\\$&');
}
