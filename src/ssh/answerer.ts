/** Answers what a server asks by keyboard-interactive (RFC 4256): a password, a code of the moment, or both. */
import type { Prompt as Question } from 'ssh2';
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Prompt, Secret } from './secret.ts';

const MOST_QUESTIONS = 16;
const LONGEST_QUESTION = 200;

/** @param certain whether it is a password for certain that is asked for. */
export type GivenPassword = (certain: boolean) => Promise<Secret>;

/** For one attempt, which may have several rounds of questions. */
export class Answerer {
  readonly #name: string;
  readonly #password: GivenPassword | undefined;
  readonly #prompt: Prompt | undefined;
  /** How often each text was asked of a person: in one attempt, the same words again are another question. */
  readonly #times = new Map<string, number>();
  #given = false;
  #unanswered: string | undefined;

  /** @param name of the server, for whoever is asked. @param password answers one question: the others are a person's. */
  constructor(name: string, password: GivenPassword | undefined, prompt: Prompt | undefined) {
    this.#name = name;
    this.#password = password;
    this.#prompt = prompt;
  }

  /** The first question that nobody could answer. */
  get unanswered(): string | undefined {
    return this.#unanswered;
  }

  /** @returns one answer to each; empty where nobody has one. @throws P2cError `ssh.auth` for too many questions. */
  async to(questions: readonly Question[]): Promise<string[]> {
    if (questions.length > MOST_QUESTIONS) {
      throw new P2cError(`${this.#name} asks ${questions.length} questions at once`, { code: 'ssh.auth' });
    }
    const forPassword = this.#given || this.#password === undefined ? undefined : passwordQuestion(questions);
    const answers: string[] = [];
    for (const question of questions) {
      answers.push(question === forPassword ? await this.#withPassword(question) : await this.#ask(question));
    }
    return answers;
  }

  async #withPassword(question: Question): Promise<string> {
    this.#given = true;
    return (await this.#password?.(asksForPassword(question)))?.reveal() ?? '';
  }

  /** The server words the questions: they are shown with its name, as text that commands no terminal. */
  async #ask({ prompt }: Question): Promise<string> {
    const text = printable(prompt.slice(0, LONGEST_QUESTION)).trim();
    const times = (this.#times.get(text) ?? 0) + 1;
    this.#times.set(text, times);
    if (this.#prompt !== undefined) return (await this.#prompt(`${this.#name}: ${text}`, String(times))).reveal();
    this.#unanswered ??= text;
    return '';
  }
}

/** The one that says so; else the first, for servers speak other languages too. */
function passwordQuestion(questions: readonly Question[]): Question | undefined {
  return questions.find(asksForPassword) ?? questions[0];
}

function asksForPassword({ prompt }: Question): boolean {
  return /password/i.test(prompt);
}
