/**
 * The order in which p2c tries to authenticate, as ssh does: agent, keys, then what a person can be asked for. What was
 * tried is remembered, for the error to tell.
 */
import type { AnyAuthMethod, AuthenticationType, KeyboardInteractiveCallback, Prompt as Question } from 'ssh2';
import type { Identity } from './identity.ts';
import type { Prompt } from './secret.ts';
import type { Target } from './target.ts';

const PASSWORD_ATTEMPTS = 3;

export interface Means {
  /** Socket of a running agent. */
  readonly agent: string | undefined;
  readonly identities: readonly Identity[];
  readonly prompt: Prompt | undefined;
}

/** The attempts of one connection. `next` gives one after the other as the server's answers allow. */
export class Authentication {
  readonly #target: Target;
  readonly #means: Means;
  readonly #tried: string[] = [];
  readonly #pending: (() => Promise<AnyAuthMethod>)[];
  readonly #kinds: AuthenticationType[];

  constructor(target: Target, means: Means) {
    this.#target = target;
    this.#means = means;
    const attempts = this.#attempts();
    this.#pending = attempts.map((attempt) => attempt.make);
    this.#kinds = attempts.map((attempt) => attempt.kind);
  }

  /** In the words of the error: `agent, key /root/.ssh/id_ed25519`. */
  get tried(): string {
    return this.#tried.length === 0 ? 'nothing: the server takes none of what p2c has' : this.#tried.join(', ');
  }

  /** @param allowed what the server would take; null before it said. @returns undefined when nothing is left to try. */
  async next(allowed: readonly AuthenticationType[] | null): Promise<AnyAuthMethod | undefined> {
    for (;;) {
      const kind = this.#kinds.shift();
      const make = this.#pending.shift();
      if (kind === undefined || make === undefined) return undefined;
      // An agent speaks the method publickey.
      const method = kind === 'agent' ? 'publickey' : kind;
      if (allowed !== null && method !== 'none' && !allowed.includes(method)) continue;
      return make();
    }
  }

  #attempts(): { kind: AuthenticationType; make: () => Promise<AnyAuthMethod> }[] {
    const { agent, identities, prompt } = this.#means;
    const username = this.#target.user;
    return [
      // Asks the server which methods it takes.
      { kind: 'none', make: async () => ({ type: 'none', username }) },
      ...(agent === undefined
        ? []
        : [{ kind: 'agent' as const, make: async () => this.#try('agent', { type: 'agent', username, agent }) }]),
      ...identities.map(({ file, key }) => ({
        kind: 'publickey' as const,
        make: async () => this.#try(`key ${file}`, { type: 'publickey', username, key }),
      })),
      ...(prompt === undefined ? [] : this.#asked(prompt)),
    ];
  }

  #asked(prompt: Prompt): { kind: AuthenticationType; make: () => Promise<AnyAuthMethod> }[] {
    const username = this.#target.user;
    const name = `${username}@${this.#target.host}`;
    const passwords = Array.from({ length: PASSWORD_ATTEMPTS }, () => ({
      kind: 'password' as const,
      make: async () => {
        const password = (await prompt(`Password of ${name}:`)).reveal();
        return this.#try('password', { type: 'password', username, password });
      },
    }));
    const interactive = {
      kind: 'keyboard-interactive' as const,
      make: async () =>
        this.#try('keyboard-interactive', {
          type: 'keyboard-interactive',
          username,
          prompt: (
            _name: string,
            _instructions: string,
            _language: string,
            questions: Question[],
            finish: KeyboardInteractiveCallback,
          ) => {
            void answer(prompt, name, questions).then(finish, () => finish([]));
          },
        }),
    };
    return [interactive, ...passwords];
  }

  #try(what: string, method: AnyAuthMethod): AnyAuthMethod {
    if (this.#tried.at(-1) !== what) this.#tried.push(what);
    return method;
  }
}

/** The server words the questions: they are shown with its name, as text that commands no terminal. */
async function answer(prompt: Prompt, name: string, questions: readonly Question[]): Promise<string[]> {
  const answers: string[] = [];
  for (const question of questions.slice(0, 16)) {
    answers.push((await prompt(`${name}: ${question.prompt.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)}`)).reveal());
  }
  return answers;
}
