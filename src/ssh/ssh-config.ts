/** What ssh_config says of a server, as `ssh -G` expands it: with Include, Match, Host patterns and canonical names. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, P2cError, systemCode, usageError } from '../errors.ts';
import { printable } from '../printable.ts';
import { JoinedConfig } from './joined-config.ts';
import type { Target } from './target.ts';
import { expandPath, expandTokens, type TokenValues } from './tokens.ts';

/** Which ssh_config is read. */
export interface SshConfigSource {
  /** As ssh's -F: in place of the user's and the system's. */
  readonly file?: string;
}

/** What p2c takes from it. What p2c has no use for is left alone: forwarding, multiplexing, canonical names. */
export interface HostConfig {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly hostKeyAlias: string | undefined;
  /** Key files in their order, ssh's own defaults where none is configured; those that do not exist are passed over. */
  readonly identityFiles: readonly string[];
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** The agent's socket; null for none, undefined for the usual. */
  readonly identityAgent: string | null | undefined;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly revokedHostKeys: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly acceptNewHostKey: boolean;
  readonly proxyJump: string | undefined;
  readonly proxyCommand: string | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly keepaliveMs: number | undefined;
  readonly keepaliveCountMax: number | undefined;
  readonly addressFamily: 4 | 6 | undefined;
}

const SYSTEM_CONFIG = '/etc/ssh/ssh_config';
const LIMIT_MS = 30_000;
const MOST_OUTPUT = 1024 * 1024;

/**
 * Asks `ssh -G`, which resolves the configuration and connects to nothing.
 * @param identities files of `--identity`: with any, ssh's default files are not tried.
 * @returns undefined where there is no ssh program.
 * @throws P2cError `ssh.config` where ssh refuses its configuration, or a file was named and there is no ssh program.
 */
export async function readHostConfig(
  source: SshConfigSource,
  target: Target,
  identities: readonly string[],
): Promise<HostConfig | undefined> {
  await using config = await configFor(source, target);
  const args = [
    '-G',
    ...(config === undefined ? [] : ['-F', config.file]),
    ...(target.assumed?.includes('user') === true ? [] : ['-l', target.user]),
    ...(target.assumed?.includes('port') === true ? [] : ['-p', String(target.port)]),
    ...identities.flatMap((file) => ['-i', file]),
    '--',
    target.host,
  ];
  try {
    const { stdout } = await promisify(execFile)('ssh', args, { timeout: LIMIT_MS, maxBuffer: MOST_OUTPUT });
    return hostConfig(stdout, target);
  } catch (error) {
    if (error instanceof P2cError) throw error;
    if (systemCode(error) !== 'ENOENT') throw refused(target, error, config);
    if (source.file === undefined) return undefined;
    throw usageError(`${source.file} cannot be read: there is no ssh program on this machine`, {
      code: 'ssh.config',
      hint: 'install the OpenSSH client; or leave -F out and name host, user, port, key and jump hosts as options',
    });
  }
}

/** A file for -F. */
interface ConfigFile extends AsyncDisposable {
  readonly file: string;
  renamed(words: string): string;
}

/**
 * ssh takes the home of the password file for the user's, and p2c takes HOME, as nearly everything does: where they are
 * not the same, what would be read at HOME is named to ssh. @returns undefined where they are, and no file is named.
 */
async function configFor({ file }: SshConfigSource, target: Target): Promise<ConfigFile | undefined> {
  if (file !== undefined) return asItIs(file);
  if (homedir() === userInfo().homedir) return undefined;
  const own = join(homedir(), '.ssh/config');
  const system = existsSync(SYSTEM_CONFIG);
  if (!existsSync(own)) return asItIs(system ? SYSTEM_CONFIG : 'none');
  if (!system) return asItIs(own);
  try {
    return await JoinedConfig.of(own, SYSTEM_CONFIG);
  } catch (error) {
    throw refused(target, error, undefined);
  }
}

function asItIs(file: string): ConfigFile {
  return { file, renamed: (words) => words, async [Symbol.asyncDispose]() {} };
}

/** A path that ssh expanded itself. */
function atHome(path: string): string {
  const { homedir: known } = userInfo();
  return path.startsWith(`${known}/`) ? join(homedir(), path.slice(known.length)) : path;
}

/** What is lost without an ssh program; undefined where nothing is configured that could be. */
export function unreadConfig(): string | undefined {
  const files = [join(homedir(), '.ssh/config'), SYSTEM_CONFIG].filter((file) => existsSync(file));
  if (files.length === 0) return undefined;
  return `there is no ssh program on this machine, so ${files.join(' and ')} cannot be read: aliases, users, ports, keys and jump hosts named there are unknown`;
}

/** @param text `keyword value` lines, keywords in small letters. */
export function hostConfig(text: string, target: Target): HostConfig {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (keyword !== undefined && value !== undefined) values.set(keyword, [...(values.get(keyword) ?? []), value]);
  }
  const first = (keyword: string): string | undefined => values.get(keyword)?.[0];
  const given = (keyword: string): string | undefined => {
    const value = first(keyword);
    return value === undefined || value.toLowerCase() === 'none' ? undefined : value;
  };
  const files = (keyword: string): string[] =>
    (first(keyword) ?? '').split(' ').filter((file) => file !== '' && file.toLowerCase() !== 'none');
  const seconds = (keyword: string): number | undefined => {
    const value = Number(first(keyword));
    return value > 0 ? value * 1000 : undefined;
  };
  const tokens: TokenValues = {
    original: target.host,
    host: first('hostname') ?? target.host,
    port: Number(first('port') ?? target.port),
    user: first('user') ?? target.user,
    hostKeyAlias: given('hostkeyalias'),
  };
  const paths = (keyword: string): string[] =>
    (values.get(keyword) ?? []).filter((file) => file.toLowerCase() !== 'none').map((file) => expandPath(file, tokens));
  const expanded = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : expandTokens(text, tokens);
  const strict = first('stricthostkeychecking') ?? 'ask';
  return {
    user: tokens.user,
    host: tokens.host,
    port: tokens.port,
    hostKeyAlias: tokens.hostKeyAlias,
    identityFiles: paths('identityfile'),
    certificateFiles: paths('certificatefile'),
    identitiesOnly: first('identitiesonly') === 'yes',
    identityAgent: agentOf(first('identityagent'), tokens),
    userKnownHosts: files('userknownhostsfile').map(atHome),
    globalKnownHosts: files('globalknownhostsfile'),
    revokedHostKeys: files('revokedhostkeys').map((file) => expandPath(file, tokens)),
    hashKnownHosts: first('hashknownhosts') === 'yes',
    // ssh's `no` and `off` (printed as `false`) let changed keys pass too, which p2c never does.
    acceptNewHostKey: ['accept-new', 'false', 'no', 'off'].includes(strict),
    // Its tokens too: ssh makes a ProxyCommand of it, and expands that.
    proxyJump: expanded(given('proxyjump')),
    proxyCommand: expanded(given('proxycommand')),
    connectTimeoutMs: seconds('connecttimeout'),
    keepaliveMs: seconds('serveraliveinterval'),
    keepaliveCountMax: seconds('serveraliveinterval') === undefined ? undefined : Number(first('serveralivecountmax')),
    addressFamily: familyOf(first('addressfamily')),
  };
}

/** IdentityAgent: a socket, `none`, `SSH_AUTH_SOCK`, or the name of a variable after a `$`. */
function agentOf(text: string | undefined, tokens: TokenValues): string | null | undefined {
  if (text === undefined || text === 'SSH_AUTH_SOCK') return undefined;
  if (text.toLowerCase() === 'none') return null;
  if (text.startsWith('$') && !text.startsWith('${')) return process.env[text.slice(1)] || null;
  return expandPath(text, tokens);
}

function familyOf(text: string | undefined): 4 | 6 | undefined {
  if (text === 'inet') return 4;
  return text === 'inet6' ? 6 : undefined;
}

function refused(target: Target, cause: unknown, config: ConfigFile | undefined): P2cError {
  const said =
    cause instanceof Error && 'stderr' in cause
      ? String(cause.stderr)
          .trim()
          .replace(/[\r\n]+/g, '; ')
      : '';
  const words = said === '' ? messageOf(cause) : said;
  const why = printable((config?.renamed(words) ?? words).slice(0, 500));
  return usageError(`ssh cannot say how it would reach ${target.name}: ${why}`, {
    code: 'ssh.config',
    hint: `try it with: ssh -G ${target.host}; -F FILE reads another configuration, -F none reads none`,
    // What ssh said is told; what lies beneath says the same again.
    ...(said === '' ? { cause } : {}),
  });
}
