/** Opens a connection to a source: reaches it, verifies that it is the one, authenticates, and looks who p2c is there. */
import { handshake } from './handshake.ts';
import { defaultKnownHosts, readKnownKeys, rememberHostKey } from './host-key.ts';
import { loadDefaultIdentities, loadIdentities } from './identity.ts';
import { probePrivilege } from './privilege.ts';
import { RemoteSession } from './remote-session.ts';
import type { Prompt } from './secret.ts';
import type { ConnectedSession } from './session.ts';
import type { Target } from './target.ts';

export interface ConnectOptions {
  /** Private key files; where none is given, ssh's default files are tried. An agent is asked before either. */
  readonly identities?: readonly string[];
  /** Files to look host keys up in; new ones go into the first. Default: where ssh looks. */
  readonly knownHostsFiles?: readonly string[];
  readonly acceptNewHostKey?: boolean;
  /** Asks a person for passphrases and passwords. */
  readonly prompt?: Prompt;
  /** Milliseconds that the server may take for an answer until it lets p2c in. Time for typing is not counted. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds between signs of life asked of the server; the link is dead after the fourth without one. */
  readonly keepaliveMs?: number;
  readonly signal?: AbortSignal;
  /** Socket of the agent; null for none. Default: `SSH_AUTH_SOCK`. */
  readonly agent?: string | null;
}

const CONNECT_TIMEOUT_MS = 15_000;
/** A half-open link is noticed after a minute or so. */
const KEEPALIVE_MS = 15_000;

/** @throws P2cError `ssh.*`: each way in which this can fail has its own code and hint. */
export async function connect(target: Target, options: ConnectOptions = {}): Promise<ConnectedSession> {
  const { signal } = options;
  signal?.throwIfAborted();
  const files = options.knownHostsFiles ?? defaultKnownHosts();
  const named = options.identities ?? [];
  const credentials = {
    known: await readKnownKeys(files, target),
    acceptNewHostKey: options.acceptNewHostKey ?? false,
    agent: options.agent === null ? undefined : (options.agent ?? (process.env['SSH_AUTH_SOCK'] || undefined)),
    identities: named.length > 0 ? await loadIdentities(named) : await loadDefaultIdentities(),
    prompt: options.prompt,
  };
  const limits = {
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepaliveMs: options.keepaliveMs ?? KEEPALIVE_MS,
    signal,
  };
  const { client, socket, newKey } = await handshake(target, credentials, limits);
  const session = new RemoteSession(target, client, socket);
  const abort = (): void => void socket.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    if (newKey !== undefined && files[0] !== undefined) await rememberHostKey(files[0], newKey, target);
    session.privilege = await probePrivilege(session);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
