/** `audit --why PATH`: what would become of one path, and which rule or mount says so. */
import { BlindSpots } from '../../listing/blind-spots.ts';
import type { Entry } from '../../listing/entry.ts';
import { comparePaths, isAtOrBelow, isBelow } from '../../listing/path.ts';
import type { Rule } from '../../listing/rules.ts';
import { type ByteString, bytesOf, printablePath } from '../../printable.ts';
import type { Explanation } from '../../report/survey-report.ts';
import type { Filesystem } from '../../source/filesystems.ts';

export interface WhyInput {
  /** As they were asked for: the bytes of a path, or its form in p2c's own words, `/opt/\xff`. */
  readonly paths: readonly ByteString[];
  readonly filesystems: readonly Filesystem[];
}

export class Explanations {
  readonly #input: WhyInput;
  readonly #found = new Map<ByteString, Explanation>();
  /** Those of the paths that may be written in p2c's own words, by these. */
  readonly #worded: ReadonlyMap<string, ByteString>;
  readonly #places: Set<ByteString>;
  /** Of each path that was asked about, the first that is captured below it. */
  readonly #leadsTo = new Map<ByteString, ByteString>();

  constructor(input: WhyInput) {
    this.#input = input;
    this.#places = new Set(input.paths);
    const worded = input.paths.filter((path) => path.includes('\\'));
    this.#worded = new Map(worded.map((path) => [bytesOf(path).toString('utf8'), path]));
  }

  /** Takes the listing's entries in any order. @param rule the one that decides for it. */
  add(entry: Entry, rule: Rule | undefined): void {
    const { paths } = this.#input;
    if (paths.length === 0) return;
    const asked = paths.includes(entry.path) ? entry.path : this.#worded.get(this.#wording(entry.path));
    // A name that is as it was asked for goes before one that p2c would write so.
    if (asked !== undefined && (asked === entry.path || !this.#found.has(asked))) {
      this.#found.set(asked, explain(entry.path, rule));
      this.#places.add(entry.path);
    }
    if (rule?.action === 'exclude') return;
    for (const path of this.#places) {
      const first = this.#leadsTo.get(path);
      const leads = isBelow(entry.path, path) && (first === undefined || comparePaths(entry.path, first) < 0);
      if (leads) this.#leadsTo.set(path, entry.path);
    }
  }

  /** One for each path that was asked about, in that order. @param complaints of the listing. */
  result(complaints: readonly string[]): Explanation[] {
    const blindSpots = new BlindSpots(complaints);
    return this.#input.paths.map((path) => {
      const found = this.#found.get(path);
      if (found === undefined) return this.#absent(path, blindSpots);
      const below = this.#leadsTo.get(found.path);
      return found.verdict === 'left out' && below !== undefined ? wayTo(below, found) : found;
    });
  }

  /** Only where one of the paths may be written so. */
  #wording(path: ByteString): string {
    return this.#worded.size > 0 ? printablePath(path) : path;
  }

  #absent(path: ByteString, blindSpots: BlindSpots): Explanation {
    const above = this.#input.filesystems.filter(
      (mount) => mount.verdict !== 'hidden' && isAtOrBelow(path, mount.mountPoint),
    );
    const mount = above.sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
    if (mount !== undefined && mount.verdict !== 'included') {
      return { path, verdict: 'not captured', reason: mount.reason };
    }
    const unseen = blindSpots.unseen.find((each) => isAtOrBelow(path, each.path));
    if (unseen !== undefined) {
      const reason = `find could not look at ${printablePath(unseen.path)}: ${unseen.reason}`;
      return { path, verdict: 'not seen', reason };
    }
    return { path, verdict: 'not there', reason: 'the listing of the server has no such path' };
  }
}

function explain(path: ByteString, rule: Rule | undefined): Explanation {
  if (rule === undefined) return { path, verdict: 'captured', reason: 'no rule speaks of it' };
  const verdict = rule.action === 'include' ? 'captured' : 'left out';
  return { path, verdict, rule: rule.id, reason: rule.reason };
}

/** A directory that a rule leaves out comes back where something below it is taken. */
function wayTo(below: ByteString, { path }: Explanation): Explanation {
  return { path, verdict: 'captured', reason: `a rule leaves it out, and it leads to ${printablePath(below)}` };
}
