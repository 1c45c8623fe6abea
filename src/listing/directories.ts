/** The directories above the entry that comes, where each comes before what is in it: what walks have in common. */
import type { Entry } from './entry.ts';
import { isBelow } from './path.ts';

export class Directories {
  /** Outermost first. */
  readonly #above: Entry['path'][] = [];

  /** Of an entry: how many of the directories that came are above it; those that are not are left for good. */
  leaveFor({ path, type }: Pick<Entry, 'path' | 'type'>): number {
    const above = this.#above;
    while (above.length > 0 && !isBelow(path, above[above.length - 1] ?? path)) above.pop();
    const count = above.length;
    if (type === 'd') above.push(path);
    return count;
  }
}
