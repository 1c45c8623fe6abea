/** From a target to a connection that stands: the socket, the key exchange, the server's identity, authentication. */
import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';
import ssh2, { type Algorithms, type AuthHandlerMiddleware, type ServerHostKeyAlgorithm } from 'ssh2';
import { messageOf, P2cError } from '../errors.ts';
import { Authentication } from './authentication.ts';
import { connectFailed } from './connect-errors.ts';
import { judgeHostKey } from './host-key.ts';
import type { Identity } from './identity.ts';
import type { KnownKey } from './known-hosts.ts';
import { Patience } from './patience.ts';
import type { Prompt } from './secret.ts';
import type { Target } from './target.ts';

/** What a handshake needs, found before anything is sent. */
export interface Credentials {
  readonly known: readonly KnownKey[];
  readonly acceptNewHostKey: boolean;
  readonly agent: string | undefined;
  readonly identities: readonly Identity[];
  readonly prompt: Prompt | undefined;
}

export interface Limits {
  readonly connectTimeoutMs: number;
  readonly keepaliveMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface Opened {
  readonly client: ssh2.Client;
  /** Ours to destroy: ssh2 leaves a socket open that the other side does not close. */
  readonly socket: Socket;
  /** The server's key where it was not known before. */
  readonly newKey: Buffer | undefined;
}

const KEEPALIVES_UNANSWERED = 4;

/** @throws P2cError `ssh.*`, or the signal's reason. Nothing is left open then. */
export async function handshake(target: Target, credentials: Credentials, limits: Limits): Promise<Opened> {
  const attempt = new Attempt(target, credentials, limits);
  try {
    return await attempt.outcome();
  } catch (error) {
    attempt.abandon();
    throw limits.signal?.aborted === true ? limits.signal.reason : connectFailed(target, error);
  }
}

class Attempt {
  readonly #target: Target;
  readonly #credentials: Credentials;
  readonly #limits: Limits;
  readonly #client = new ssh2.Client();
  readonly #socket: Socket;
  readonly #patience: Patience;
  readonly #authentication: Authentication;
  #newKey: Buffer | undefined;
  /** Whether the server was verified, so that p2c's turn to prove itself began. */
  #authenticating = false;

  constructor(target: Target, credentials: Credentials, limits: Limits) {
    this.#target = target;
    this.#credentials = credentials;
    this.#limits = limits;
    this.#patience = new Patience(limits.connectTimeoutMs);
    const { agent, identities, prompt } = credentials;
    this.#authentication = new Authentication(target, {
      agent,
      identities,
      prompt: prompt === undefined ? undefined : (question) => this.#patience.during(() => prompt(question)),
      giveUp: (error) => this.#patience.giveUp(error),
    });
    this.#socket = openSocket({ host: target.host, port: target.port, noDelay: true });
    // Errors are listened to where they are waited for; one that comes later has nobody to hear it.
    this.#socket.on('error', () => {});
  }

  async outcome(): Promise<Opened> {
    const { signal } = this.#limits;
    const aborted = (): void => this.#patience.giveUp(signal?.reason);
    try {
      // An event that was before anybody listened does not come again.
      signal?.throwIfAborted();
      signal?.addEventListener('abort', aborted, { once: true });
      await Promise.race([once(this.#socket, 'connect'), this.#patience.exhausted]);
      await Promise.race([this.#ready(), this.#patience.exhausted]);
      return { client: this.#client, socket: this.#socket, newKey: this.#newKey };
    } finally {
      signal?.removeEventListener('abort', aborted);
      this.#patience.end();
    }
  }

  abandon(): void {
    this.#client.on('error', () => {});
    this.#socket.destroy();
  }

  #ready(): Promise<void> {
    const client = this.#client;
    return new Promise((resolve, reject) => {
      client.once('ready', resolve);
      client.on('error', (error) => this.#heard(error, reject));
      client.on('close', () => reject(this.#hungUp('it hung up')));
      client.on('change password', () => reject(this.#authentication.failed('the password has expired')));
      client.connect({
        sock: this.#socket,
        username: this.#target.user,
        readyTimeout: 0,
        keepaliveInterval: this.#limits.keepaliveMs,
        keepaliveCountMax: KEEPALIVES_UNANSWERED,
        algorithms: algorithmsFor(this.#credentials.known),
        hostVerifier: (key: Buffer) => this.#verify(key),
        authHandler: this.#authHandler,
      });
    });
  }

  /** An agent that does not answer, or a key that does not sign, is no end: ssh2 goes on to the next. */
  #heard(error: Error & { level?: string }, reject: (error: unknown) => void): void {
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
    const { known, acceptNewHostKey } = this.#credentials;
    try {
      if (judgeHostKey(key, known, this.#target, acceptNewHostKey) === 'new') this.#newKey = key;
      return true;
    } catch (error) {
      this.#patience.giveUp(error);
      return false;
    }
  }

  readonly #authHandler: AuthHandlerMiddleware = (allowed, _partial, next) => {
    this.#authenticating = true;
    this.#authentication.next(allowed).then(
      (method) => {
        if (method === undefined) this.#patience.giveUp(this.#authentication.failed());
        else next(method);
      },
      (error: unknown) => this.#patience.giveUp(error),
    );
  };
}

const KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

/**
 * A server has several keys: the types that are known already are asked for first, or a known server would look new.
 * Ciphers are ssh2's own order, which is the fastest first: aes128-gcm, and ctr where a server has no gcm.
 */
function algorithmsFor(known: readonly KnownKey[]): Algorithms {
  const types = new Set(known.map((key) => key.type));
  const typeOf = (algorithm: string): string => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  const first = KEY_ALGORITHMS.filter((algorithm) => types.has(typeOf(algorithm)));
  const rest = KEY_ALGORITHMS.filter((algorithm) => !types.has(typeOf(algorithm)));
  return { serverHostKey: [...first, ...rest] };
}
