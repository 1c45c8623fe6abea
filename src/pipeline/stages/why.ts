/** `audit --why PATH`: what would become of one path, and which rule or mount says so. */
import type { Entry } from '../../listing/entry.ts';
import { isAtOrBelow } from '../../listing/path.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { ByteString } from '../../printable.ts';
import type { Explanation } from '../../report/survey-report.ts';
import type { Filesystem } from '../../source/filesystems.ts';

export class Explanations {
  readonly #paths: readonly ByteString[];
  readonly #rules: RuleSet;
  readonly #filesystems: readonly Filesystem[];
  readonly #found = new Map<ByteString, Explanation>();

  constructor(paths: readonly ByteString[], rules: RuleSet, filesystems: readonly Filesystem[]) {
    this.#paths = paths;
    this.#rules = rules;
    this.#filesystems = filesystems;
  }

  add(entry: Entry): void {
    if (this.#paths.length > 0 && this.#paths.includes(entry.path)) this.#found.set(entry.path, this.#explain(entry));
  }

  /** One for each path that was asked about, in that order. */
  get result(): Explanation[] {
    return this.#paths.map((path) => this.#found.get(path) ?? this.#absent(path));
  }

  #explain(entry: Entry): Explanation {
    const { path } = entry;
    const rule = this.#rules.decide(entry);
    if (rule === undefined) return { path, verdict: 'captured', reason: 'no rule speaks of it' };
    const verdict = rule.action === 'include' ? 'captured' : 'left out';
    return { path, verdict, rule: rule.id, reason: rule.reason };
  }

  #absent(path: ByteString): Explanation {
    const above = this.#filesystems.filter(
      (mount) => mount.verdict !== 'hidden' && isAtOrBelow(path, mount.mountPoint),
    );
    const mount = above.sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
    if (mount === undefined || mount.verdict === 'included') {
      return { path, verdict: 'not there', reason: 'the listing of the server has no such path' };
    }
    return { path, verdict: 'not captured', reason: mount.reason };
  }
}
