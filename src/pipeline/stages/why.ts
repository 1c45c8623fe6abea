/** `audit --why PATH`: what would become of one path, and which rule or mount says so. */
import { BlindSpots } from '../../listing/blind-spots.ts';
import type { Entry } from '../../listing/entry.ts';
import { isAtOrBelow, isBelow } from '../../listing/path.ts';
import type { RuleSet } from '../../listing/rules.ts';
import { type ByteString, bytesOf, printablePath } from '../../printable.ts';
import type { Explanation } from '../../report/survey-report.ts';
import type { Filesystem } from '../../source/filesystems.ts';

export interface WhyInput {
  /** As they were asked for: the bytes of a path, or its form in p2c's own words, `/opt/\xff`. */
  readonly paths: readonly ByteString[];
  readonly rules: RuleSet;
  readonly filesystems: readonly Filesystem[];
  /** Of the listing. */
  readonly complaints: readonly string[];
}

export class Explanations {
  readonly #input: WhyInput;
  readonly #blindSpots: BlindSpots;
  readonly #found = new Map<ByteString, Explanation>();
  /** Those of the paths that may be written in p2c's own words, by these. */
  readonly #worded: ReadonlyMap<string, ByteString>;

  constructor(input: WhyInput) {
    this.#input = input;
    this.#blindSpots = new BlindSpots(input.complaints);
    const worded = input.paths.filter((path) => path.includes('\\'));
    this.#worded = new Map(worded.map((path) => [bytesOf(path).toString('utf8'), path]));
  }

  /** Takes the listing's entries in their order. */
  add(entry: Entry): void {
    const { paths } = this.#input;
    if (paths.length === 0) return;
    if (paths.includes(entry.path)) this.#found.set(entry.path, this.#explain(entry));
    if (this.#worded.size > 0) this.#addWorded(entry);
    for (const [asked, explanation] of this.#found) {
      const leads = explanation.verdict === 'left out' && isBelow(entry.path, explanation.path);
      if (leads && this.#explain(entry).verdict === 'captured') this.#found.set(asked, wayTo(entry, explanation));
    }
  }

  /** One for each path that was asked about, in that order. */
  get result(): Explanation[] {
    return this.#input.paths.map((path) => this.#found.get(path) ?? this.#absent(path));
  }

  #addWorded(entry: Entry): void {
    const asked = this.#worded.get(printablePath(entry.path));
    if (asked !== undefined && !this.#found.has(asked)) this.#found.set(asked, this.#explain(entry));
  }

  #explain(entry: Entry): Explanation {
    const { path } = entry;
    const rule = this.#input.rules.decide(entry);
    if (rule === undefined) return { path, verdict: 'captured', reason: 'no rule speaks of it' };
    const verdict = rule.action === 'include' ? 'captured' : 'left out';
    return { path, verdict, rule: rule.id, reason: rule.reason };
  }

  #absent(path: ByteString): Explanation {
    const above = this.#input.filesystems.filter(
      (mount) => mount.verdict !== 'hidden' && isAtOrBelow(path, mount.mountPoint),
    );
    const mount = above.sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
    if (mount !== undefined && mount.verdict !== 'included') {
      return { path, verdict: 'not captured', reason: mount.reason };
    }
    const unseen = this.#blindSpots.unseen.find((each) => isAtOrBelow(path, each.path));
    if (unseen !== undefined) {
      const reason = `find could not look at ${printablePath(unseen.path)}: ${unseen.reason}`;
      return { path, verdict: 'not seen', reason };
    }
    return { path, verdict: 'not there', reason: 'the listing of the server has no such path' };
  }
}

/** A directory that a rule leaves out comes back where something below it is taken. */
function wayTo(entry: Entry, { path }: Explanation): Explanation {
  return { path, verdict: 'captured', reason: `a rule leaves it out, and it leads to ${printablePath(entry.path)}` };
}
