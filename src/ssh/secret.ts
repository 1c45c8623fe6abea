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

/** Asks a person. Absent where there is nobody to ask. */
export type Prompt = (question: string) => Promise<Secret>;

/** What a person answered, for a link that has to be made again while nobody sits there. */
export class Answers {
  readonly #given = new Map<string, Secret>();

  /** The prompt of one connection. A question that comes a second time in it was answered wrongly: `ask` is asked. */
  prompt(ask: Prompt): Prompt {
    const asked = new Set<string>();
    return async (question) => {
      const known = asked.has(question) ? undefined : this.#given.get(question);
      asked.add(question);
      const answer = known ?? (await ask(question));
      this.#given.set(question, answer);
      return answer;
    };
  }
}
