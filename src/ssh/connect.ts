/**
 * Opens a connection to a source: over its jump hosts, each verified and logged in to, to the one it is; then looks who
 * p2c is there.
 */
import type { BaseAgent } from 'ssh2';
import type { BecomeOptions } from './become.ts';
import { chosenAgent } from './chosen-agent.ts';
import { type Dial, dialByCommand, dialDirectly, dialThrough } from './dial.ts';
import { handshake, type Opened } from './handshake.ts';
import { newKeyTaken, readKnownKeys, readRevokedKeys, rememberHostKey } from './host-key.ts';
import { certificatesOf, loadIdentities, loadUsableIdentities } from './identity.ts';
import { JumpHosts } from './jump-hosts.ts';
import { orAborted } from './or-aborted.ts';
import { gainPrivilege } from './privilege.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { RemoteSession } from './remote-session.ts';
import { type Hop, routeTo } from './route.ts';
import type { Prompt, Secret } from './secret.ts';
import type { ConnectedSession, LedgerEntry } from './session.ts';
import type { SshConfigSource } from './ssh-config.ts';
import { TakenKey } from './taken-keys.ts';
import type { Target } from './target.ts';

export interface ConnectOptions {
  /** Which ssh_config is asked about the target and its jump hosts. Default: none. */
  readonly sshConfig?: SshConfigSource | undefined;
  /** Servers to go over, the first of them first, in place of those that ssh_config names. */
  readonly jumps?: readonly Target[] | undefined;
  /** The target's private key files; where none is given, ssh's default files are tried. Jump hosts have their own. */
  readonly identities?: readonly string[] | undefined;
  /** Socket of the agent; null for none. Default: ssh_config's IdentityAgent, or `SSH_AUTH_SOCK`. */
  readonly agent?: string | null | undefined;
  /** The target's password, where nobody types it. Jump hosts do not get it. */
  readonly password?: (() => Promise<Secret>) | undefined;
  /** Asks a person for passphrases and passwords. */
  readonly prompt?: Prompt | undefined;
  /** Files to look host keys up in; new ones go into the first. Default: where ssh looks. */
  readonly knownHostsFiles?: readonly string[] | undefined;
  /** Fingerprints (`SHA256:…`), of which the target's key must have one. Jump hosts are looked up in known_hosts. */
  readonly hostKeyFingerprints?: readonly string[] | undefined;
  readonly acceptNewHostKey?: boolean | undefined;
  /** True allows algorithms that are no longer safe, for servers that have no others. */
  readonly legacy?: boolean | undefined;
  /** True has the connection compressed by ssh itself. */
  readonly compressed?: boolean | undefined;
  /** How to become root, where the login is not. Default: sudo, where it asks for no password. */
  readonly become?: BecomeOptions | undefined;
  /** Milliseconds that each server may take for an answer until it lets p2c in. Time for typing is not counted. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds between signs of life asked of each server. */
  readonly keepaliveMs?: number | undefined;
  /** How many of them may go unanswered before the link is dead. */
  readonly keepaliveCountMax?: number | undefined;
  /** Milliseconds for which a stream may be silent, in place of what each command allows. */
  readonly idleTimeoutMs?: number | undefined;
  /** What all that comes from the target passes; several targets may share one. */
  readonly limiter?: RateLimiter | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each command on the target when it has ended. */
  readonly onCommand?: ((entry: LedgerEntry) => void) | undefined;
  /** Told what the user should know of the way to the target. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

/** @throws P2cError `ssh.*`: each way in which this can fail has its own code and hint. */
export async function connect(target: Target, options: ConnectOptions = {}): Promise<ConnectedSession> {
  options.signal?.throwIfAborted();
  const route = await routeTo(target, options);
  const jumps = new JumpHosts();
  try {
    for (const hop of route.slice(0, -1)) {
      const target = { ...hop.target, jump: true };
      jumps.add(target, await openHop({ ...hop, target }, jumps, options));
    }
    return await openSource(route, jumps, options);
  } catch (error) {
    await jumps[Symbol.asyncDispose]();
    throw error;
  }
}

async function openSource(route: readonly Hop[], jumps: JumpHosts, options: ConnectOptions): Promise<ConnectedSession> {
  const { signal } = options;
  const source = route.at(-1);
  if (source === undefined) throw new Error('the way to the target is empty');
  const { hostKeyFingerprints: pinned = [], password, limiter, idleTimeoutMs, onCommand } = options;
  const own = { pinned, password };
  const { client, socket } = await openHop(source, jumps, options, own);
  const session = new RemoteSession(source.target, client, socket, jumps, { limiter, idleTimeoutMs, onCommand });
  try {
    // What is waited for may be no command of the session: a person, or a program, that is asked for a password.
    await orAborted(gainPrivilege(session, options), signal, () => socket.destroy());
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw signal?.aborted === true ? signal.reason : error;
  }
}

function dialOf(hop: Hop, jumps: JumpHosts): Dial {
  const { last } = jumps;
  if (last !== undefined) return dialThrough(last.client, last.name, hop.target);
  return hop.proxyCommand === undefined ? dialDirectly(hop.target, hop.addressFamily) : dialByCommand(hop.proxyCommand);
}

/** What only the target has, and no jump host before it. */
interface Own {
  readonly pinned: readonly string[];
  readonly password: (() => Promise<Secret>) | undefined;
}

const NOTHING: Own = { pinned: [], password: undefined };

async function openHop(hop: Hop, jumps: JumpHosts, options: ConnectOptions, own: Own = NOTHING): Promise<Opened> {
  const { target, hostKeyAlias } = hop;
  // An alias is looked up as it stands, without a port.
  const knownAs = hostKeyAlias === undefined ? target : { host: hostKeyAlias, port: 22 };
  const { prompt } = options;
  const over = hop.proxyCommand === undefined ? jumps.names : [hop.proxyCommand];
  const taken = new TakenKey(knownAs, over);
  // Behind two jump hosts, one user at one address is asked for two passwords.
  const place = JSON.stringify([...over, target.user, target.host, target.port]);
  const known = [
    ...(await readKnownKeys(hop.knownHostsFiles, knownAs)),
    ...(await readRevokedKeys(hop.revokedHostKeys)),
  ];
  const { connectTimeoutMs, keepaliveMs, keepaliveCountMax } = hop;
  const opened = await handshake(
    target,
    dialOf(hop, jumps),
    {
      hostKey: {
        known,
        acceptNew: hop.acceptNewHostKey,
        pinned: own.pinned,
        knownAs,
        taken: () => taken.known,
        onNew: (key) => taken.remember(key),
      },
      agent: await agentOf(hop),
      identities: [
        ...(await loadIdentities(hop.named)),
        ...(await loadUsableIdentities(hop.identityFiles, options.onNotice)),
      ],
      certificates: await certificatesOf([...hop.named, ...hop.identityFiles], hop.certificateFiles),
      password: own.password,
      prompt: prompt === undefined ? undefined : (question, which) => prompt(question, `${place} ${which ?? ''}`),
    },
    {
      limits: { connectTimeoutMs, keepaliveMs, keepaliveCountMax, signal: options.signal },
      legacy: options.legacy ?? false,
      compress: options.compressed ?? false,
    },
  );
  try {
    if (opened.newKey !== undefined) {
      const file = hop.newKeysFile;
      const kept = file !== undefined && (await rememberHostKey(file, opened.newKey, knownAs, hop.hashKnownHosts));
      options.onNotice?.(newKeyTaken(target, opened.newKey, file, kept));
    }
    return opened;
  } catch (error) {
    opened.socket.destroy();
    throw error;
  }
}

async function agentOf({ agent, identitiesOnly, named, identityFiles }: Hop): Promise<BaseAgent | undefined> {
  return agent === undefined ? undefined : chosenAgent(agent, [...named, ...identityFiles], identitiesOnly);
}
