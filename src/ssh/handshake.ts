/** From a target to a connection that stands: the socket, the key exchange, the server's identity, authentication. */
import type { Duplex } from 'node:stream';
import ssh2, { type AuthHandlerMiddleware, type BaseAgent } from 'ssh2';
import { messageOf, P2cError } from '../errors.ts';
import { algorithmsFor, OfferedAlgorithms } from './algorithms.ts';
import { Authentication } from './authentication.ts';
import { connectFailed } from './connect-errors.ts';
import type { Dial } from './dial.ts';
import { type HostKeyPolicy, judgeHostKey } from './host-key.ts';
import type { Identity } from './identity.ts';
import { KeyAccepted } from './offered-key.ts';
import { Patience } from './patience.ts';
import type { Prompt, Secret } from './secret.ts';
import type { Target } from './target.ts';

/** What a handshake needs, found before anything is sent. */
export interface Credentials {
  readonly hostKey: HostKeyPolicy;
  readonly agent: BaseAgent | undefined;
  readonly identities: readonly Identity[];
  /** Certificates of the user that cannot be shown. */
  readonly certificates: readonly string[];
  /** The password, where it is not a person's to type. */
  readonly password: (() => Promise<Secret>) | undefined;
  readonly prompt: Prompt | undefined;
}

interface Limits {
  readonly connectTimeoutMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveCountMax: number;
  readonly signal: AbortSignal | undefined;
}

export interface Opened {
  readonly client: ssh2.Client;
  /** Ours to destroy: ssh2 leaves a socket open that the other side does not close. */
  readonly socket: Duplex;
  /** The server's key where it was not known before. */
  readonly newKey: Buffer | undefined;
}

export interface Wishes {
  readonly limits: Limits;
  readonly legacy: boolean;
  /** True has ssh itself compress what is sent. */
  readonly compress: boolean;
}

/** @throws P2cError `ssh.*`, or the signal's reason. Nothing is left open then. */
export async function handshake(target: Target, dial: Dial, credentials: Credentials, wishes: Wishes): Promise<Opened> {
  const attempt = new Attempt(target, dial, credentials, wishes);
  try {
    return await attempt.outcome();
  } catch (error) {
    attempt.abandon();
    const { signal } = wishes.limits;
    throw signal?.aborted === true ? signal.reason : connectFailed(target, error, attempt.offered, wishes.legacy);
  }
}

class Attempt {
  readonly offered = new OfferedAlgorithms();
  readonly #target: Target;
  readonly #dial: Dial;
  readonly #credentials: Credentials;
  readonly #wishes: Wishes;
  readonly #client = new ssh2.Client();
  readonly #abandoned = new AbortController();
  readonly #patience: Patience;
  readonly #authentication: Authentication;
  #newKey: Buffer | undefined;
  /** Whether the server was verified, so that p2c's turn to prove itself began. */
  #authenticating = false;

  constructor(target: Target, dial: Dial, credentials: Credentials, wishes: Wishes) {
    this.#target = target;
    this.#dial = dial;
    this.#credentials = credentials;
    this.#wishes = wishes;
    this.#patience = new Patience(wishes.limits.connectTimeoutMs);
    const { agent, identities, certificates, password, prompt } = credentials;
    this.#authentication = new Authentication(target, {
      agent,
      identities,
      certificates,
      password: password === undefined ? undefined : () => this.#patience.during(password),
      prompt: prompt === undefined ? undefined : (...asked) => this.#patience.during(() => prompt(...asked)),
      giveUp: (error) => this.#patience.giveUp(error),
    });
  }

  async outcome(): Promise<Opened> {
    const { signal } = this.#wishes.limits;
    const aborted = (): void => this.#patience.giveUp(signal?.reason);
    try {
      // An event that was before anybody listened does not come again.
      signal?.throwIfAborted();
      signal?.addEventListener('abort', aborted, { once: true });
      const dialled = this.#dial(this.#abandoned.signal);
      const socket = await Promise.race([dialled, this.#patience.exhausted]);
      await Promise.race([this.#ready(socket), this.#patience.exhausted]);
      return { client: this.#client, socket, newKey: this.#newKey };
    } finally {
      signal?.removeEventListener('abort', aborted);
      this.#patience.end();
    }
  }

  abandon(): void {
    this.#client.on('error', () => {});
    this.#abandoned.abort();
  }

  #ready(socket: Duplex): Promise<void> {
    const client = this.#client;
    const { limits, legacy, compress } = this.#wishes;
    const { hostKey } = this.#credentials;
    return new Promise((resolve, reject) => {
      client.once('ready', resolve);
      client.on('error', (error) => this.#heard(error, reject));
      client.on('close', () => reject(this.#hungUp('it hung up')));
      client.on('change password', () => reject(this.#authentication.failed('the password has expired')));
      client.connect({
        sock: socket,
        username: this.#target.user,
        readyTimeout: 0,
        keepaliveInterval: limits.keepaliveMs,
        keepaliveCountMax: limits.keepaliveCountMax,
        algorithms: algorithmsFor({ known: [...hostKey.known, ...hostKey.taken()], legacy, compress }),
        hostVerifier: (key: Buffer) => this.#verify(key),
        authHandler: this.#authHandler,
      });
      // ssh2 has paused the socket, and lets it flow when it listens itself.
      const overhear = (chunk: Buffer): void => {
        if (this.offered.push(chunk)) socket.off('data', overhear);
      };
      socket.on('data', overhear);
    });
  }

  /** An agent that does not answer, or a key that does not sign, is no end: ssh2 goes on to the next. */
  #heard(error: Error & { level?: string }, reject: (error: unknown) => void): void {
    if (error instanceof KeyAccepted) return;
    if (error.level === 'agent') this.#authentication.agentFailed(messageOf(error));
    else if (error.level === 'client-socket') reject(error);
    else if (error.level !== 'client-authentication') reject(this.#hungUp(messageOf(error), error));
  }

  /** A server that ends the talk while p2c proves itself refuses p2c, whatever words it has for it. */
  #hungUp(why: string, cause?: unknown): unknown {
    if (this.#authenticating) return this.#authentication.failed(why);
    return cause ?? new P2cError(why, { code: 'ssh.hung-up' });
  }

  #verify(key: Buffer): boolean {
    try {
      const { hostKey } = this.#credentials;
      if (judgeHostKey(key, this.#target, hostKey) === 'new') {
        this.#newKey = key;
        hostKey.onNew(key);
      }
      return true;
    } catch (error) {
      this.#patience.giveUp(error);
      return false;
    }
  }

  readonly #authHandler: AuthHandlerMiddleware = (allowed, partial, next) => {
    this.#authenticating = true;
    this.#authentication.next(allowed, partial).then(
      (method) => {
        if (method === undefined) this.#patience.giveUp(this.#authentication.failed());
        else next(method);
      },
      (error: unknown) => this.#patience.giveUp(error),
    );
  };
}
