/** What came of going to the hosts of a batch before their turns, and is not to come a second time when they have them. */
import type { PasswordRefused } from './password-refused.ts';
import type { Show } from './stage.ts';

export class Beforehand {
  readonly #told = new Map<string, Set<string>>();
  readonly #refused = new Map<string, PasswordRefused>();

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

  refused(host: string, refusal: PasswordRefused): void {
    this.#refused.set(host, refusal);
  }

  /**
   * Whether the password that was given for the login has been refused, and a person is to be asked for another.
   * @throws P2cError what the host's turn would come to, where it would bring a refused password and nothing else.
   */
  passwordSpent(host: string): boolean {
    const refusal = this.#refused.get(host);
    if (refusal?.another === false) throw refusal.failure;
    return refusal !== undefined;
  }
}
