/** Opens a connection to a source: reaches it, verifies that it is the one, authenticates, and looks who p2c is there. */
import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';
import ssh2, { type Algorithms, type ServerHostKeyAlgorithm } from 'ssh2';
import { P2cError } from '../errors.ts';
import { Authentication } from './authentication.ts';
import { connectFailed } from './connect-errors.ts';
import { defaultKnownHosts, judgeHostKey, readKnownKeys, rememberHostKey } from './host-key.ts';
import { loadDefaultIdentities, loadIdentities } from './identity.ts';
import type { KnownKey } from './known-hosts.ts';
import { probePrivilege } from './privilege.ts';
import { RemoteSession } from './remote-session.ts';
import type { Prompt } from './secret.ts';
import type { Session } from './session.ts';
import type { Target } from './target.ts';

export interface ConnectOptions {
  /** Private key files; where none is given, the agent and ssh's default files are used. */
  readonly identities?: readonly string[];
  /** Files to look host keys up in; new ones go into the first. Default: where ssh looks. */
  readonly knownHostsFiles?: readonly string[];
  readonly acceptNewHostKey?: boolean;
  /** Asks a person for passphrases and passwords. */
  readonly prompt?: Prompt;
  /** Milliseconds until the server has answered and authenticated. Time for typing is not counted. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds between signs of life asked of the server; the link is dead after the fourth without one. */
  readonly keepaliveMs?: number;
  readonly signal?: AbortSignal;
  /** Socket of the agent; null for none. Default: `SSH_AUTH_SOCK`. */
  readonly agent?: string | null;
}

/** A half-open link is noticed after a minute or so. */
const KEEPALIVE_MS = 15_000;
const KEEPALIVES_UNANSWERED = 4;
const CONNECT_TIMEOUT_MS = 15_000;

/** @throws P2cError `ssh.*`: each way in which this can fail has its own code and hint. */
export async function connect(target: Target, options: ConnectOptions = {}): Promise<Session> {
  options.signal?.throwIfAborted();
  const files = options.knownHostsFiles ?? defaultKnownHosts();
  const known = await readKnownKeys(files, target);
  const given = options.identities ?? [];
  const authentication = new Authentication(target, {
    agent: options.agent === null ? undefined : (options.agent ?? process.env['SSH_AUTH_SOCK']),
    identities:
      given.length > 0 ? await loadIdentities(given, options.prompt) : await loadDefaultIdentities(options.prompt),
    prompt: options.prompt,
  });
  const { client, socket, newKey } = await handshake(target, options, known, authentication);
  try {
    if (newKey !== undefined && files[0] !== undefined) await rememberHostKey(files[0], newKey, target);
    const session = new RemoteSession(target, client, socket);
    session.privilege = await probePrivilege(session);
    return session;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

interface Opened {
  readonly client: ssh2.Client;
  /** Ours to destroy: ssh2 leaves a socket open that the other side does not close. */
  readonly socket: Socket;
  /** The server's key where it was not known before. */
  readonly newKey: Buffer | undefined;
}

async function handshake(
  target: Target,
  options: ConnectOptions,
  known: readonly KnownKey[],
  authentication: Authentication,
): Promise<Opened> {
  const client = new ssh2.Client();
  const patience = new Patience(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  let refusal: unknown;
  let newKey: Buffer | undefined;
  const hostVerifier = (key: Buffer): boolean => {
    try {
      if (judgeHostKey(key, known, target, options.acceptNewHostKey ?? false) === 'new') newKey = key;
      return true;
    } catch (error) {
      refusal = error;
      return false;
    }
  };
  const authHandler: ssh2.AuthHandlerMiddleware = (allowed, _partial, next) => {
    patience.pause();
    authentication.next(allowed).then(
      (method) => {
        patience.resume();
        if (method !== undefined) next(method);
        else patience.giveUp(authenticationFailed(target, authentication, allowed, options.prompt !== undefined));
      },
      (error: unknown) => patience.giveUp(error),
    );
  };
  const listening = options.signal === undefined ? {} : { signal: options.signal };
  const socket = openSocket({ host: target.host, port: target.port, noDelay: true });
  const open = async (): Promise<void> => {
    await once(socket, 'connect', listening);
    const ready = once(client, 'ready', listening);
    client.connect({
      sock: socket,
      username: target.user,
      readyTimeout: 0,
      keepaliveInterval: options.keepaliveMs ?? KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVES_UNANSWERED,
      algorithms: algorithmsFor(known),
      hostVerifier,
      authHandler,
    });
    await ready;
  };
  // Errors after the connection stands are the session's business; before, they reach `once`.
  client.on('error', () => {});
  const opening = open();
  try {
    await Promise.race([opening, patience.exhausted]);
    return { client, socket, newKey };
  } catch (error) {
    opening.catch(() => {});
    socket.destroy();
    throw refusal ?? (options.signal?.aborted === true ? options.signal.reason : connectFailed(target, error));
  } finally {
    patience.end();
  }
}

/** A time limit that stands still while a person types. */
class Patience {
  readonly exhausted: Promise<never>;
  giveUp: (error: unknown) => void = () => {};
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.exhausted = new Promise<never>((_resolve, reject) => {
      this.giveUp = reject;
    });
    this.exhausted.catch(() => {});
    this.resume();
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  resume(): void {
    const seconds = this.#limitMs / 1000;
    const error = new P2cError(`no answer within ${seconds} s`, { code: 'ssh.timeout' });
    this.#timer = setTimeout(() => this.giveUp(error), this.#limitMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
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

/** A server has several keys: the types that are known already are asked for first, or a known server would look new. */
function algorithmsFor(known: readonly KnownKey[]): Algorithms {
  const types = new Set(known.map((key) => key.type));
  const typeOf = (algorithm: string): string => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  const first = KEY_ALGORITHMS.filter((algorithm) => types.has(typeOf(algorithm)));
  const rest = KEY_ALGORITHMS.filter((algorithm) => !types.has(typeOf(algorithm)));
  return { serverHostKey: [...first, ...rest] };
}

function authenticationFailed(
  target: Target,
  authentication: Authentication,
  allowed: readonly string[] | null,
  canAsk: boolean,
): P2cError {
  const takes = allowed === null || allowed.length === 0 ? '' : `; the server takes ${allowed.join(', ')}`;
  return new P2cError(`${target.name} does not let ${target.user} in. Tried: ${authentication.tried}${takes}`, {
    code: 'ssh.auth',
    hint: canAsk
      ? 'check the user name and the password, or name a key with --identity FILE'
      : 'name a key with --identity FILE or add it to an ssh-agent; without a terminal no password can be asked for',
  });
}
