/** The way to a source: its own address and settings, and those of each jump host before it. */
import { usageError } from '../errors.ts';
import type { ConnectOptions } from './connect.ts';
import { defaultKnownHosts } from './host-key.ts';
import { defaultIdentityFiles } from './identity.ts';
import { type HostConfig, readHostConfig, unreadConfig } from './ssh-config.ts';
import { parseJumps, type Target } from './target.ts';

/** One server on the way; the last is the source. */
export interface Hop {
  /** With what ssh_config made of it. */
  readonly target: Target;
  /** What known_hosts calls it, where that is not its address. */
  readonly hostKeyAlias: string | undefined;
  /** Files that the user named for this run. */
  readonly named: readonly string[];
  /** Files to try after them, where they are there. */
  readonly identityFiles: readonly string[];
  /** Certificates that ssh_config names. */
  readonly certificateFiles: readonly string[];
  /** True where the agent's other keys are not to be offered. */
  readonly identitiesOnly: boolean;
  /** The agent's socket. */
  readonly agent: string | undefined;
  readonly knownHostsFiles: readonly string[];
  /** Takes new keys; undefined where the user has no file of their own: the system's are not p2c's to write to. */
  readonly newKeysFile: string | undefined;
  readonly revokedHostKeys: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly acceptNewHostKey: boolean;
  /** A program of the user's that carries the connection. */
  readonly proxyCommand: string | undefined;
  readonly connectTimeoutMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveCountMax: number;
  readonly addressFamily: 4 | 6 | undefined;
}

const CONNECT_TIMEOUT_MS = 15_000;
/** A half-open link is noticed after a minute or so. */
const KEEPALIVE_MS = 15_000;
const KEEPALIVES_UNANSWERED = 4;
const MOST_HOPS = 16;

/**
 * Jump hosts named for the run take precedence over ssh_config's. As with ssh, the first jump host may have jump hosts of
 * its own, and those after it are reached through the one before.
 * @throws P2cError `ssh.config`; `ssh.jump-loop` where the way does not end.
 */
export async function routeTo(target: Target, options: ConnectOptions): Promise<readonly Hop[]> {
  // As with ssh, what is named for the target is no jump host's: with it, that would lose its own default keys.
  const jumpOptions = { ...options, identities: [] };
  return wayTo(await placeOf(target, options), jumpOptions, options.jumps, MOST_HOPS);
}

/** A server as it was named, and what ssh_config makes of it. */
interface Place {
  readonly named: Target;
  readonly hop: Hop;
  readonly proxyJump: string | undefined;
}

async function placeOf(named: Target, options: ConnectOptions): Promise<Place> {
  const config = await configOf(named, options);
  return { named, hop: hopOf(named, options, config), proxyJump: config?.proxyJump };
}

/** @param options of the jump hosts. */
async function wayTo(
  place: Place,
  options: ConnectOptions,
  named: readonly Target[] | undefined,
  left: number,
): Promise<readonly Hop[]> {
  const { hop, proxyJump } = place;
  const written = named ?? (proxyJump === undefined ? [] : parseJumps(proxyJump));
  const remaining = left - written.length;
  if (remaining <= 0) {
    throw usageError(`the way to ${hop.target.name} leads over more than ${MOST_HOPS} jump hosts`, {
      code: 'ssh.jump-loop',
      hint: 'a ProxyJump in ssh_config may lead back to itself: give the jump host a Host block with ProxyJump none',
    });
  }
  const jumps: Place[] = [];
  for (const jump of written) {
    const next = await placeOf(jump, options);
    if (named !== undefined || !isSelf(next, hop.target)) jumps.push(next);
  }
  const [first, ...later] = jumps;
  // That there are none was said for this run: as with ssh, nothing that is configured carries the connection then.
  if (first === undefined) return [named === undefined ? hop : straight(hop)];
  const before = await wayTo(first, options, undefined, remaining);
  return [...before, ...later.map((jump) => straight(jump.hop)), straight(hop)];
}

/** Over named jump hosts, or none by name, no other program carries the connection. */
function straight(hop: Hop): Hop {
  return { ...hop, proxyCommand: undefined };
}

/**
 * A jump over itself is passed over: `Host *` with a ProxyJump names its own jump host too. What makes it itself is what
 * makes ssh speak of a loop (ssh.c: host, port, and the user where the jump names one).
 */
function isSelf({ named, hop }: Place, self: Target): boolean {
  const { user, host, port } = hop.target;
  const sameUser = named.assumed?.includes('user') === true || user === self.user;
  return sameUser && host.toLowerCase() === self.host.toLowerCase() && port === self.port;
}

async function configOf(target: Target, options: ConnectOptions): Promise<HostConfig | undefined> {
  if (options.sshConfig === undefined) return undefined;
  const config = await readHostConfig(options.sshConfig, target, options.identities ?? []);
  if (config !== undefined) return config;
  const lost = unreadConfig();
  if (lost !== undefined) options.onNotice?.(lost);
  return undefined;
}

function hopOf(target: Target, options: ConnectOptions, config: HostConfig | undefined): Hop {
  const named = options.identities ?? [];
  const { name } = target;
  const own = options.knownHostsFiles ?? config?.userKnownHosts ?? defaultKnownHosts();
  const global = options.knownHostsFiles === undefined ? (config?.globalKnownHosts ?? []) : [];
  return {
    target:
      config === undefined ? target : { user: config.user, host: config.host, port: config.port, name, assumed: [] },
    hostKeyAlias: config?.hostKeyAlias,
    named,
    identityFiles: (config?.identityFiles ?? (named.length > 0 ? [] : defaultIdentityFiles())).filter(
      (file) => !named.includes(file),
    ),
    certificateFiles: config?.certificateFiles ?? [],
    identitiesOnly: config?.identitiesOnly ?? false,
    agent: agentOf(options, config),
    knownHostsFiles: [...own, ...global],
    newKeysFile: own[0],
    revokedHostKeys: config?.revokedHostKeys ?? [],
    hashKnownHosts: config?.hashKnownHosts ?? false,
    acceptNewHostKey: options.acceptNewHostKey === true || config?.acceptNewHostKey === true,
    proxyCommand: config?.proxyCommand,
    connectTimeoutMs: options.connectTimeoutMs ?? config?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepaliveMs: options.keepaliveMs ?? config?.keepaliveMs ?? KEEPALIVE_MS,
    keepaliveCountMax: options.keepaliveCountMax ?? config?.keepaliveCountMax ?? KEEPALIVES_UNANSWERED,
    addressFamily: config?.addressFamily,
  };
}

function agentOf(options: ConnectOptions, config: HostConfig | undefined): string | undefined {
  if (options.agent === null || (options.agent === undefined && config?.identityAgent === null)) return undefined;
  return options.agent ?? config?.identityAgent ?? (process.env['SSH_AUTH_SOCK'] || undefined);
}
