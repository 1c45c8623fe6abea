/** What ssh_config's values may hold: `~`, `%` tokens and `${VARIABLES}` (ssh_config(5), "TOKENS"). */
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { usageError } from '../errors.ts';

/** The connection that a value is expanded for. */
export interface TokenValues {
  /** As the user named it. */
  readonly original: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias: string | undefined;
}

/** @throws P2cError `ssh.config` for a token that p2c does not know, and for a variable that is not set. */
export function expandTokens(text: string, values: TokenValues): string {
  const known: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    d: homedir,
    h: () => values.host,
    i: () => String(userInfo().uid),
    k: () => values.hostKeyAlias ?? values.original,
    L: () => hostname().split('.')[0] ?? hostname(),
    l: hostname,
    n: () => values.original,
    p: () => String(values.port),
    r: () => values.user,
    u: () => userInfo().username,
  };
  return text.replace(/%(.?)/g, (token, letter: string) => {
    const value = known[letter];
    if (value !== undefined) return value();
    throw notUnderstood(text, `p2c does not know its token '${token}'`);
  });
}

/** A file's name: `~/`, variables and tokens expanded. */
export function expandPath(text: string, values: TokenValues): string {
  const path = expandTokens(expandVariables(text), values);
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function expandVariables(text: string): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = process.env[name];
    if (value === undefined) throw notUnderstood(text, `the variable ${name} is not set`);
    return value;
  });
}

function notUnderstood(text: string, why: string) {
  return usageError(`'${text}' of ssh_config cannot be used: ${why}`, {
    code: 'ssh.config',
    hint: 'name another configuration with -F FILE, or -F none for no configuration',
  });
}
