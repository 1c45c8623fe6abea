/** What the user names: `user@host`, `ssh://user@host:port`, or an inventory host's fields. */
import { isIPv6 } from 'node:net';
import { userInfo } from 'node:os';
import { type P2cError, usageError } from '../errors.ts';

export interface Target {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** As the user wrote it; used in every message about this source. */
  readonly name: string;
  /** What of it nobody wrote: an ssh_config may know better. Default: nothing. */
  readonly assumed?: readonly ('user' | 'port')[];
  /** True for a server on the way to the one that is meant: what the user gave for that one is not for it. */
  readonly jump?: boolean;
}

/** `the jump host ` before its name, where it is one. */
export function roleOf({ jump }: Target): string {
  return jump === true ? 'the jump host ' : '';
}

/** `host`, or `host port 2222` where that is not ssh's own. */
export function addressOf({ host, port }: Target): string {
  return port === 22 ? host : `${host} port ${port}`;
}

/**
 * The jump hosts of `-J` and ProxyJump: `[user@]host[:port]` or ssh:// each, with commas between. The first is dialled. As for
 * ssh, `none` is a server's name nowhere here: it goes directly, whatever is configured.
 */
export function parseJumps(text: string): Target[] {
  if (text.trim().toLowerCase() === 'none') return [];
  return text.split(',').map((jump) => parseTarget(jump.trim()));
}

export interface TargetDefaults {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** As for ssh, the last `@` is what ends the user: names of a domain (`ann@corp.example`) have one of their own. */
const USER = String.raw`(?:(?<user>[^@\s:][^\s:]*)@)?`;
const BARE = new RegExp(String.raw`^${USER}(?<host>\[[0-9a-fA-F:.%\w]+\]|[^@\s:/[\]]+)(?::(?<port>\d+))?$`);
/** An address of IPv6 without brackets leaves no room for a port. */
const BARE_V6 = new RegExp(String.raw`^${USER}(?<host>[0-9a-fA-F:.]+(?:%[\w.-]+)?)$`);

/** @param url whether `ssh://` was before it, where an address of IPv6 has its brackets. */
function partsOf(text: string, url: boolean): Partial<Record<string, string>> | undefined {
  const v6 = url ? undefined : BARE_V6.exec(text)?.groups;
  return isIPv6(v6?.['host'] ?? '') ? v6 : BARE.exec(text)?.groups;
}

/**
 * Parses `user@host[:port]`, `[v6]:port`, a v6 alone and `ssh://user@host:port`.
 * @throws P2cError `target.invalid` where the text names no host, the port is not 1..65535, or a part begins with a
 * dash (it would be read as an option by the programs that a target is handed to), or it holds a password.
 */
export function parseTarget(text: string, defaults: TargetDefaults = {}): Target {
  const url = text.startsWith('ssh://');
  const bare = url ? text.slice('ssh://'.length).replace(/\/$/, '') : text;
  if (/:[^@]*@/.test(bare)) throw passwordInTarget();
  const parts = partsOf(bare, url);
  const host = parts?.['host']?.replace(/^\[|\]$/g, '');
  if (parts === undefined || host === undefined || host.startsWith('-') || bare.startsWith('-')) {
    const v6 = /:.*:/.test(bare) ? '; an address of IPv6 with its port as [::1]:22' : '';
    throw usageError(`'${text}' does not name a server`, {
      code: 'target.invalid',
      hint: `write user@host, user@host:port, ssh://user@host:port or the name of a Host in ssh_config${v6}`,
    });
  }
  const written = parts['port'];
  const port = written === undefined ? (defaults.port ?? 22) : Number(written);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw usageError(`port ${port} of '${text}' is not between 1 and 65535`, { code: 'target.invalid' });
  }
  const user = parts['user'] ?? defaults.user;
  const assumed = [
    ...(user === undefined ? ['user' as const] : []),
    ...(written === undefined && defaults.port === undefined ? ['port' as const] : []),
  ];
  return { user: user ?? userInfo().username, host, port, name: text, assumed };
}

/** It is not shown again: the command line and the shell's history have it already. */
function passwordInTarget(): P2cError {
  return usageError('the target has a colon before its @, as a user and a password have', {
    code: 'target.invalid',
    hint: 'write user@host; the password is asked for on a terminal, or comes by --password-fd or --password-command',
  });
}
