/** What came of going to the hosts of a batch before their turns, and is not to come a second time when they have them. */
import type { Show } from './stage.ts';

export class Beforehand {
  readonly #told = new Map<string, Set<string>>();

  told(host: string, line: string): void {
    const lines = this.#told.get(host) ?? new Set();
    this.#told.set(host, lines.add(line));
  }

  /** The show of the host's turn: what was told of the host already is passed over. */
  unsaid(host: string, show: Show): Show {
    const lines = this.#told.get(host);
    if (lines === undefined) return show;
    return {
      stage: (title, work, summary) => show.stage(title, work, summary),
      onTheWayOut: (title, work, summary) => show.onTheWayOut(title, work, summary),
      note: (line) => {
        if (!lines.has(line)) show.note(line);
      },
    };
  }
}
