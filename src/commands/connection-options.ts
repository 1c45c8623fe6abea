/** The options of every verb that goes to a source: named as ssh's and Ansible's users know them. */
import type { Argv } from 'yargs';
import { usageError } from '../errors.ts';
import { parseSize } from '../profiles/quantity.ts';
import { BECOME_METHODS, type BecomeMethod, type BecomeOptions } from '../ssh/become.ts';
import type { ConnectOptions } from '../ssh/connect.ts';
import { parseFingerprint } from '../ssh/host-key.ts';
import { RateLimiter } from '../ssh/rate-limiter.ts';
import type { SshConfigSource } from '../ssh/ssh-config.ts';
import { parseJumps } from '../ssh/target.ts';
import { terminalPrompt } from '../ssh/terminal-prompt.ts';
import { COMPRESSIONS, type Compression } from '../ssh/wire.ts';
import { noTerminal } from './become-password.ts';
import { passwordSource } from './password-source.ts';

/** With waits of half a second to 16 seconds, half a minute in all: a switch that is restarted is waited for. */
const DEFAULT_RETRIES = 6;

export interface ConnectionOptions {
  identity: string[] | undefined;
  port: number | undefined;
  jump: string | undefined;
  'ssh-config': string | undefined;
  'known-hosts': string[] | undefined;
  'accept-new-host-key': boolean;
  'host-key-fingerprint': string[] | undefined;
  'legacy-ssh': boolean;
  'password-fd': number | undefined;
  'password-command': string | undefined;
  become: BecomeMethod | undefined;
  'ask-become-pass': boolean;
  'become-password-fd': number | undefined;
  'become-password-command': string | undefined;
  'connect-timeout': number | undefined;
  'server-alive-interval': number | undefined;
  'server-alive-count-max': number | undefined;
  'idle-timeout': number | undefined;
  compress: Compression;
  'limit-rate': string | undefined;
  retries: number;
}

export function withConnectionOptions<Options>(parser: Argv<Options>): Argv<Options & ConnectionOptions> {
  return withPatienceOptions(withRateOptions(withRootOptions(withTrustOptions(withWayOptions(parser)))));
}

function withWayOptions<Options>(parser: Argv<Options>) {
  return parser
    .option('identity', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'private key file (repeatable); its passphrase is asked for',
    })
    .option('port', { alias: 'p', type: 'number', requiresArg: true, describe: "the server's ssh port [22]" })
    .option('jump', {
      alias: 'J',
      type: 'string',
      requiresArg: true,
      describe: 'go over these servers, as ssh -J: [USER@]HOST[:PORT],…',
    })
    .option('ssh-config', {
      alias: 'F',
      type: 'string',
      requiresArg: true,
      describe: "ssh_config to use in place of the user's and the system's; none for no configuration",
    })
    .option('password-fd', {
      type: 'number',
      requiresArg: true,
      describe: "read the login's password from this file descriptor",
    })
    .option('password-command', {
      type: 'string',
      requiresArg: true,
      describe: "run this, and take its first line as the login's password",
    });
}

function withTrustOptions<Options>(parser: Argv<Options>) {
  return parser
    .option('known-hosts', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'known_hosts file to use in place of the usual ones (repeatable)',
    })
    .option('accept-new-host-key', {
      type: 'boolean',
      default: false,
      describe: 'accept the key of a server seen for the first time, and remember it; a changed key is always refused',
    })
    .option('host-key-fingerprint', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: "SHA256:… that the target's host key must have, whatever known_hosts says (repeatable)",
    })
    .option('legacy-ssh', {
      type: 'boolean',
      default: false,
      describe: 'allow the weak algorithms that the ssh of old servers needs',
    });
}

function withRootOptions<Options>(parser: Argv<Options>) {
  return parser
    .option('become', {
      choices: BECOME_METHODS,
      requiresArg: true,
      describe: 'how to become root, where the login is not [sudo, if it asks for no password]',
    })
    .option('ask-become-pass', {
      alias: 'K',
      type: 'boolean',
      default: false,
      describe: 'ask for the password that becoming root needs',
    })
    .option('become-password-fd', {
      type: 'number',
      requiresArg: true,
      describe: 'read that password from this file descriptor',
    })
    .option('become-password-command', {
      type: 'string',
      requiresArg: true,
      describe: 'run this, and take its first line as that password',
    });
}

function withRateOptions<Options>(parser: Argv<Options>) {
  return parser
    .option('compress', {
      choices: COMPRESSIONS,
      default: 'auto' as const satisfies Compression,
      requiresArg: true,
      describe: 'compression on the way; auto measures the link, and takes what is fastest',
    })
    .option('limit-rate', {
      type: 'string',
      requiresArg: true,
      describe: 'bytes a second that all servers together may send: 500k, 10m',
    });
}

function withPatienceOptions<Options>(parser: Argv<Options>) {
  return parser
    .option('connect-timeout', { type: 'number', requiresArg: true, describe: 'seconds to wait for a connection [15]' })
    .option('server-alive-interval', {
      type: 'number',
      requiresArg: true,
      describe: 'seconds between signs of life asked of the server [15]',
    })
    .option('server-alive-count-max', {
      type: 'number',
      requiresArg: true,
      describe: 'how many of them may go unanswered before the link is taken for dead [4]',
    })
    .option('idle-timeout', {
      type: 'number',
      requiresArg: true,
      describe: 'seconds for which a stream of the server may be silent [600 while files are read]',
    })
    .option('retries', {
      type: 'number',
      default: DEFAULT_RETRIES,
      requiresArg: true,
      describe: 'how often a lost connection is made again, and a part of the stream begun anew',
    });
}

/** Clears the terminal of what is drawn on it while somebody is asked. */
export type Aside = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * What the transport is told. A terminal can be asked for passwords; anything else cannot.
 * @throws P2cError for every option that is wrong, before anything is sent.
 */
export function connectOptions(
  options: Partial<ConnectionOptions>,
  signal?: AbortSignal,
  aside: Aside = (work) => work(),
): ConnectOptions & { readonly retries: number; readonly compress: Compression | undefined } {
  const retries = wholeNumber('retries', options.retries, 0, 100) ?? DEFAULT_RETRIES;
  const prompt = terminalPrompt();
  const keepaliveCountMax = wholeNumber('server-alive-count-max', options['server-alive-count-max'], 1, 1000);
  return {
    acceptNewHostKey: options['accept-new-host-key'],
    become: becomeOptions(options, signal),
    compress: options.compress,
    compressed: options.compress === 'ssh',
    connectTimeoutMs: milliseconds('connect-timeout', options['connect-timeout']),
    hostKeyFingerprints: options['host-key-fingerprint']?.map(parseFingerprint),
    identities: options.identity,
    idleTimeoutMs: milliseconds('idle-timeout', options['idle-timeout']),
    jumps: options.jump === undefined ? undefined : parseJumps(options.jump),
    keepaliveCountMax,
    keepaliveMs: milliseconds('server-alive-interval', options['server-alive-interval']),
    knownHostsFiles: options['known-hosts'],
    limiter: limiterOf(options['limit-rate']),
    legacy: options['legacy-ssh'],
    password: passwordSource('password', options['password-fd'], options['password-command'], signal),
    prompt: prompt === undefined ? undefined : (question) => aside(() => prompt(question)),
    retries,
    signal,
    sshConfig: sshConfigSource(options['ssh-config']),
  };
}

/** One for all servers of a process. */
const limiters = new Map<number, RateLimiter>();

/** With the units of curl's option: powers of 1024. */
function limiterOf(text: string | undefined): RateLimiter | undefined {
  if (text === undefined) return undefined;
  const rate = parseSize(text);
  if (rate === undefined || rate < 1024) {
    throw usageError(`--limit-rate '${text}' is not a number of bytes a second, of 1k or more`, {
      code: 'usage',
      hint: 'write 500k, 10m or 1g',
    });
  }
  const limiter = limiters.get(rate) ?? new RateLimiter(rate);
  limiters.set(rate, limiter);
  return limiter;
}

/** Without `-F`, what ssh itself would read. */
function sshConfigSource(file: string | undefined): SshConfigSource | undefined {
  if (file === undefined) return {};
  return file.toLowerCase() === 'none' ? undefined : { file };
}

function becomeOptions(
  options: Partial<ConnectionOptions>,
  signal: AbortSignal | undefined,
): BecomeOptions | undefined {
  const password = passwordSource(
    'become-password',
    options['become-password-fd'],
    options['become-password-command'],
    signal,
  );
  const ask = options['ask-become-pass'] === true;
  if (ask && password !== undefined) {
    throw usageError('--ask-become-pass is given, and the password from elsewhere too', { code: 'usage' });
  }
  if (ask && terminalPrompt() === undefined) throw noTerminal();
  const method = options.become ?? (ask || password !== undefined ? 'sudo' : undefined);
  return method === undefined ? undefined : { method, password };
}

function milliseconds(name: string, seconds: number | undefined): number | undefined {
  if (seconds === undefined || (seconds > 0 && seconds <= 86_400))
    return seconds === undefined ? undefined : seconds * 1000;
  throw usageError(`--${name} ${seconds} is not a number of seconds`, { code: 'usage' });
}

function wholeNumber(name: string, value: number | undefined, least: number, most: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return value;
  throw usageError(`--${name} ${value} is not a whole number from ${least} to ${most}`, { code: 'usage' });
}
