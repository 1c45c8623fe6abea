/**
 * A session that outlives its connection: what is asked of it after the link was lost goes over a new one. A command that
 * was under way is run again where that does no harm; a stream is its reader's to begin anew.
 */
import { P2cError } from '../errors.ts';
import { type ConnectOptions, connect } from './connect.ts';
import { mayHeal, pause, pauseBefore } from './healing.ts';
import { Answers, type Prompt } from './secret.ts';
import type {
  CommandResult,
  ConnectedSession,
  LedgerEntry,
  Privilege,
  RemoteCommand,
  RemoteStream,
  Session,
} from './session.ts';
import { linkClosed } from './session-errors.ts';
import type { Target } from './target.ts';

export interface LastingOptions extends ConnectOptions {
  /** How often in a row one thing is tried again. */
  readonly retries: number;
  /** Told when the link is lost and when it stands again. */
  readonly onTrouble?: (line: string) => void;
}

export class LastingSession implements Session {
  readonly #options: LastingOptions;
  readonly #answers: Answers;
  readonly #ledger: LedgerEntry[] = [];
  /** As the user named it: an ssh_config may lead elsewhere by the next connection. */
  readonly #asked: Target;
  #session: ConnectedSession;
  #reconnecting: Promise<ConnectedSession> | undefined;
  #closed = false;

  private constructor(asked: Target, session: ConnectedSession, options: LastingOptions, answers: Answers) {
    this.#asked = asked;
    this.#session = session;
    this.#options = options;
    this.#answers = answers;
  }

  /**
   * The first connection is tried once: what is wrong with it is the user's to know at once. One that stood, and was lost
   * before p2c knew who it is there, is made again.
   * @throws P2cError `ssh.*`.
   */
  static async open(target: Target, options: LastingOptions): Promise<LastingSession> {
    const answers = new Answers();
    const { prompt, onTrouble, retries } = options;
    const first: ConnectOptions = {
      ...(onTrouble === undefined ? {} : { onNotice: onTrouble }),
      ...options,
      ...(prompt === undefined ? {} : { prompt: answers.prompt(prompt) }),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return new LastingSession(target, await connect(target, first), options, answers);
      } catch (error) {
        if (!(error instanceof P2cError) || error.code !== 'ssh.lost' || attempt > retries) throw error;
        onTrouble?.(`${error.message}; connecting again`);
        await pause(pauseBefore(attempt), options.signal);
      }
    }
  }

  get target(): Target {
    return this.#session.target;
  }

  get privilege(): Privilege {
    return this.#session.privilege;
  }

  get ledger(): readonly LedgerEntry[] {
    return [...this.#ledger, ...this.#session.ledger];
  }

  async run(command: RemoteCommand): Promise<CommandResult> {
    for (let attempt = 1; ; attempt += 1) {
      const session = await this.#standing();
      try {
        return await session.run(command);
      } catch (error) {
        if (!mayHeal(error) || !repeatable(command) || attempt > this.#options.retries || this.#closed) throw error;
        if (session.lost === undefined) await pause(pauseBefore(attempt));
      }
    }
  }

  async stream(command: RemoteCommand, onStderr?: (chunk: Buffer) => void): Promise<RemoteStream> {
    const session = await this.#standing();
    return session.stream(command, onStderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#reconnecting?.catch(() => {});
    await this.#session[Symbol.asyncDispose]();
  }

  async #standing(): Promise<ConnectedSession> {
    if (this.#closed) throw linkClosed(this.target);
    if (this.#session.lost === undefined) return this.#session;
    this.#reconnecting ??= this.#reconnect(this.#session.lost).finally(() => {
      this.#reconnecting = undefined;
    });
    return this.#reconnecting;
  }

  /** An interruption that came before is no reason not to reconnect: the applications are to be started yet. */
  async #reconnect(lost: P2cError): Promise<ConnectedSession> {
    const { signal: given, prompt, retries, onTrouble = () => {}, ...rest } = this.#options;
    const signal = given?.aborted === true ? undefined : given;
    const options = (): ConnectOptions => ({
      ...rest,
      ...(signal === undefined ? {} : { signal }),
      ...(prompt === undefined ? {} : { prompt: this.#answers.prompt(nobodyThere) }),
    });
    onTrouble(`${lost.message}; connecting again`);
    let failure: P2cError = lost;
    for (let attempt = 1; attempt <= retries && !this.#closed; attempt += 1) {
      await pause(pauseBefore(attempt), signal);
      try {
        const session = await connect(this.#asked, options());
        this.#ledger.push(...this.#session.ledger);
        await this.#session[Symbol.asyncDispose]();
        this.#session = session;
        onTrouble(`connected to ${this.target.name} again`);
        return session;
      } catch (error) {
        if (!mayHeal(error)) throw error;
        failure = error;
      }
    }
    throw givenUp(lost, failure, retries);
  }
}

/** Reading does no harm, however often; what changes the source says whether it may come twice. */
function repeatable(command: RemoteCommand): boolean {
  // An input that was read in part cannot be sent again.
  const rereadable = command.input === undefined || Array.isArray(command.input);
  return rereadable && (command.repeatable ?? command.changesSource !== true);
}

/** A question in the middle of a run would wait for ever in a window that nobody looks at. */
const nobodyThere: Prompt = async (question) => {
  throw new P2cError(`the server asks anew what it was told before: '${question}'`, {
    code: 'ssh.auth',
    hint: 'a one-time password cannot be given twice: use a key, or an agent',
  });
};

function givenUp(lost: P2cError, failure: P2cError, retries: number): P2cError {
  if (retries === 0) return lost;
  return new P2cError(`${lost.message}, and ${retries} attempts to connect again failed: ${failure.message}`, {
    // Not `ssh.lost`, which those who wait would take for something that may heal.
    code: 'ssh.gone',
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    cause: failure,
  });
}
