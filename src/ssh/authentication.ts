/**
 * The order in which p2c tries to authenticate, as ssh does: agent, keys, then what a person can be asked for. What was
 * tried is remembered, for the error to tell.
 */
import type {
  AnyAuthMethod,
  AuthenticationType,
  BaseAgent,
  KeyboardInteractiveCallback,
  Prompt as Question,
} from 'ssh2';
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import { Answerer, type GivenPassword } from './answerer.ts';
import type { Identity } from './identity.ts';
import { OfferedKey } from './offered-key.ts';
import type { Prompt, Secret } from './secret.ts';
import { addressOf, roleOf, type Target } from './target.ts';

/** As ssh's NumberOfPasswordPrompts. */
const ATTEMPTS = 3;
const LONGEST_REASON = 200;

export interface Means {
  readonly agent: BaseAgent | undefined;
  readonly identities: readonly Identity[];
  /** Certificates of the user that ssh would show, and ssh2 cannot: told of where nothing else opens. */
  readonly certificates: readonly string[];
  /** The password, where it is not a person's to type. */
  readonly password: (() => Promise<Secret>) | undefined;
  readonly prompt: Prompt | undefined;
  /** Ends the attempt to connect: a person refused to answer. */
  readonly giveUp: (error: unknown) => void;
}

export class LoginRefused extends P2cError {
  /** True where the password that nobody typed was among what the server refused. */
  readonly passwordRefused: boolean;
  /** True where it asked for something beside it that nobody could answer: the password may be right. */
  readonly unanswered: boolean;

  constructor(message: string, hint: string, { passwordRefused, unanswered }: Omit<LoginRefused, keyof P2cError>) {
    super(message, { code: 'ssh.auth', hint });
    this.passwordRefused = passwordRefused;
    this.unanswered = unanswered;
  }
}

interface Attempt {
  readonly kind: AuthenticationType;
  /** @returns undefined where it turns out that this cannot be tried. */
  readonly make: () => Promise<AnyAuthMethod | undefined>;
}

/** The attempts of one connection. `next` gives one after the other as the server's answers allow. */
export class Authentication {
  readonly #target: Target;
  readonly #means: Means;
  readonly #tried: string[] = [];
  readonly #pending: Attempt[];
  /** Whether an rsa key was among what was tried: ssh2 offers it with one hash only. */
  #rsa = false;
  /** What became of the password that nobody typed. Sent is not refused: a link may break before the server has said so. */
  #given: 'unused' | 'sent' | 'refused' | 'accepted' = 'unused';
  /** Whether it was a password for certain that the server asked for: then another method would only refuse it once more. */
  #certain = false;
  /** Whether the server asked what nobody could answer. */
  #unanswered = false;
  #allowed: readonly AuthenticationType[] = [];

  constructor(target: Target, means: Means) {
    this.#target = target;
    this.#means = means;
    this.#pending = this.#attempts();
  }

  /**
   * @param allowed what the server would take; null before it said.
   * @param partial whether what was tried last was right, and not enough.
   * @returns undefined when nothing is left to try.
   */
  async next(
    allowed: readonly AuthenticationType[] | null,
    partial: boolean | null,
  ): Promise<AnyAuthMethod | undefined> {
    if (this.#given === 'sent') this.#given = partial === true ? 'accepted' : 'refused';
    if (allowed !== null) this.#allowed = allowed;
    for (;;) {
      // What is not allowed now may be later: a server may want a password first, and then a key (RFC 4252, 5.1).
      const at = this.#pending.findIndex(({ kind }) => isAllowed(kind, allowed));
      const [attempt] = at < 0 ? [] : this.#pending.splice(at, 1);
      if (attempt === undefined) return undefined;
      const made = await attempt.make();
      if (made !== undefined) return made;
    }
  }

  /** The agent could not be asked: it is told of among what was tried. */
  agentFailed(why: string): void {
    const at = this.#tried.indexOf('agent');
    if (at >= 0) this.#tried[at] = `agent (${printable(why)})`;
  }

  /** @param why what the server gave as its reason to hang up, if it did. */
  failed(why?: string): LoginRefused {
    const { user } = this.#target;
    const where = `${roleOf(this.#target)}${addressOf(this.#target)}`;
    const tried = this.#tried.length === 0 ? 'nothing, for p2c has nothing that it takes' : this.#tried.join(', ');
    const takes = this.#allowed.length === 0 ? '' : `; it takes ${printable(this.#allowed.join(', '))}`;
    const said = why === undefined ? '' : `; it said: ${printable(why.slice(0, LONGEST_REASON))}`;
    // One that has heard too many says no more than that.
    const refused = this.#given === 'refused' || (this.#given === 'sent' && /too many/i.test(why ?? ''));
    const given = refused ? '; the password that was given was refused' : '';
    const { certificates } = this.#means;
    const unused =
      certificates.length === 0 ? '' : `; not tried, for p2c cannot show certificates: ${certificates.join(', ')}`;
    const told = `${where} does not let ${user} in. Tried: ${tried}${takes}${given}${said}${unused}`;
    return new LoginRefused(told, this.#hint(why), { passwordRefused: refused, unanswered: this.#unanswered });
  }

  #hint(why: string | undefined): string {
    if (why !== undefined && /too many/i.test(why)) {
      return `the agent may hold more keys than the server looks at: ${this.#nameKey()}, and unset SSH_AUTH_SOCK`;
    }
    const rsa = this.#rsa
      ? '; an rsa key is shown with SHA-2 where the server says that it knows it, also if it then refuses it: another type of key helps'
      : '';
    const own =
      this.#target.jump === true
        ? "; the passwords of options are the target's too"
        : ', or give the password with --password-fd or --password-command';
    const given = `check the password that was given, and the user name; or ${this.#nameKey()}`;
    const more =
      this.#given === 'refused'
        ? given
        : this.#means.prompt === undefined
          ? `${this.#nameKey()}, or add it to an ssh-agent${own}; without a terminal none can be asked for`
          : `check the user name and the password, or ${this.#nameKey()}`;
    return `${more}${rsa}`;
  }

  #nameKey(): string {
    return this.#target.jump === true
      ? "name its key in ssh_config (IdentityFile; --identity is the target's)"
      : 'name a key with --identity FILE';
  }

  #attempts(): Attempt[] {
    const { agent, identities, password, prompt } = this.#means;
    const username = this.#target.user;
    return [
      // Asks the server which methods it takes (RFC 4252, 5.2).
      { kind: 'none', make: async () => ({ type: 'none', username }) },
      ...(agent === undefined
        ? []
        : [{ kind: 'agent' as const, make: async () => this.#try('agent', { type: 'agent', username, agent }) }]),
      ...identities.flatMap((identity) => this.#keyAttempts(identity)),
      ...(password === undefined ? [] : this.#asked(1, (certain) => this.#noted(password, certain))),
      ...(prompt === undefined ? [] : this.#asked(ATTEMPTS, undefined)),
    ];
  }

  #noted(password: () => Promise<Secret>, certain: boolean): Promise<Secret> {
    this.#given = 'sent';
    this.#certain = certain;
    return password();
  }

  /** Systems that lock an account after a few wrong passwords count each. */
  get #isWrong(): boolean {
    return this.#given === 'refused' && this.#certain;
  }

  /** A key that is locked is offered before its passphrase is asked for, as ssh does: the server may not take it. */
  #keyAttempts(identity: Identity): Attempt[] {
    const { file, publicPart } = identity;
    const offered = publicPart === undefined ? undefined : OfferedKey.of(publicPart);
    const key = () => this.#key(identity);
    if (offered === undefined) return [{ kind: 'publickey', make: key }];
    const offer = async (): Promise<AnyAuthMethod> => {
      this.#rsa ||= offered.type === 'ssh-rsa';
      return this.#try(`key ${file}`, { type: 'agent', username: this.#target.user, agent: offered });
    };
    return [
      { kind: 'publickey', make: offer },
      { kind: 'publickey', make: async () => (offered.accepted ? key() : undefined) },
    ];
  }

  async #key(identity: Identity): Promise<AnyAuthMethod | undefined> {
    const { file, named } = identity;
    try {
      const key = await identity.unlock(this.#means.prompt);
      this.#rsa ||= key.type === 'ssh-rsa';
      return this.#try(`key ${file}`, { type: 'publickey', username: this.#target.user, key });
    } catch (error) {
      const wrong = error instanceof P2cError && error.code === 'ssh.passphrase';
      const locked = error instanceof P2cError && error.code === 'ssh.identity' && !named;
      if (!wrong && !locked) throw error;
      const at = this.#tried.indexOf(`key ${file}`);
      const told = `key ${file} (${wrong ? 'its passphrase was wrong' : 'locked'})`;
      this.#tried.splice(at < 0 ? this.#tried.length : at, at < 0 ? 0 : 1, told);
      return undefined;
    }
  }

  /** @param password undefined where a person is asked for everything. */
  #asked(attempts: number, password: GivenPassword | undefined): Attempt[] {
    const username = this.#target.user;
    const name = `${username}@${addressOf(this.#target)}`;
    const interactive = async (): Promise<AnyAuthMethod | undefined> => {
      if (password !== undefined && this.#isWrong) return undefined;
      // What was right is no answer to what else is asked.
      const answers = new Answerer(name, this.#given === 'accepted' ? undefined : password, this.#means.prompt);
      return this.#try('keyboard-interactive', {
        type: 'keyboard-interactive',
        username,
        prompt: (
          _name: string,
          _instructions: string,
          _language: string,
          questions: Question[],
          finish: KeyboardInteractiveCallback,
        ) => {
          answers.to(questions).then((given) => {
            if (answers.unanswered !== undefined) this.#cannotAnswer(answers.unanswered);
            finish(given);
          }, this.#means.giveUp);
        },
      });
    };
    const ask = () => (password === undefined ? this.#means.prompt?.(`Password of ${name}:`) : password(true));
    const typed = async (): Promise<AnyAuthMethod | undefined> => {
      if (password !== undefined && (this.#isWrong || this.#given === 'accepted')) return undefined;
      const secret = await ask();
      if (secret === undefined) return undefined;
      return this.#try('password', { type: 'password', username, password: secret.reveal() });
    };
    return [
      ...Array.from({ length: attempts }, () => ({ kind: 'keyboard-interactive' as const, make: interactive })),
      ...Array.from({ length: attempts }, () => ({ kind: 'password' as const, make: typed })),
    ];
  }

  #cannotAnswer(question: string): void {
    this.#unanswered = true;
    const at = this.#tried.indexOf('keyboard-interactive');
    const why = `it asks '${question}' too, and there is no terminal to ask on`;
    if (at >= 0) this.#tried[at] = `keyboard-interactive (${why})`;
  }

  #try(what: string, method: AnyAuthMethod): AnyAuthMethod {
    if (!this.#tried.includes(what)) this.#tried.push(what);
    return method;
  }
}

function isAllowed(kind: AuthenticationType, allowed: readonly AuthenticationType[] | null): boolean {
  // An agent speaks the method publickey.
  const method = kind === 'agent' ? 'publickey' : kind;
  return allowed === null || method === 'none' || allowed.includes(method);
}
