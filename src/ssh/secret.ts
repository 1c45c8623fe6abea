/** A password or passphrase. However it is printed, it prints as `[secret]`. */
import { inspect } from 'node:util';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: to be handed to what authenticates with it, and nowhere else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/**
 * Asks a person. Absent where there is nobody to ask.
 * @param which tells questions in the same words from each other: whose they are, and the how-manieth of one conversation.
 */
export type Prompt = (question: string, which?: string) => Promise<Secret>;

/** What a person answered, for a link that has to be made again while nobody sits there. */
export class Answers {
  readonly #given = new Map<string, Secret>();

  /** The prompt of one connection. One question that comes a second time in it was answered wrongly: `ask` is asked. */
  prompt(ask: Prompt): Prompt {
    const asked = new Set<string>();
    return async (question, which) => {
      const one = JSON.stringify([question, which]);
      const known = asked.has(one) ? undefined : this.#given.get(one);
      asked.add(one);
      const answer = known ?? (await ask(question, which));
      this.#given.set(one, answer);
      return answer;
    };
  }
}
