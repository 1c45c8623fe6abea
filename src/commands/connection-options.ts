/** The options of every verb that goes to a source: named as ssh's and Ansible's users know them. */
import type { Argv } from 'yargs';
import { usageError } from '../errors.ts';
import type { ConnectOptions } from '../ssh/connect.ts';
import { terminalPrompt } from '../ssh/terminal-prompt.ts';

/** With waits of half a second to 16 seconds, half a minute in all: a switch that is restarted is waited for. */
const DEFAULT_RETRIES = 6;

export interface ConnectionOptions {
  identity: string[] | undefined;
  port: number | undefined;
  'known-hosts': string[] | undefined;
  'accept-new-host-key': boolean;
  'connect-timeout': number;
  retries: number;
}

export function withConnectionOptions<Options>(parser: Argv<Options>): Argv<Options & ConnectionOptions> {
  return parser
    .option('identity', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'private key file (repeatable); its passphrase is asked for',
    })
    .option('port', { alias: 'p', type: 'number', requiresArg: true, describe: "the server's ssh port [22]" })
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
    .option('connect-timeout', {
      type: 'number',
      default: 15,
      requiresArg: true,
      describe: 'seconds to wait for a connection',
    })
    .option('retries', {
      type: 'number',
      default: DEFAULT_RETRIES,
      requiresArg: true,
      describe: 'how often a lost connection is made again, and a part of the stream begun anew',
    });
}

/** What the transport is told. A terminal can be asked for passwords; anything else cannot. */
export function connectOptions(
  options: Partial<ConnectionOptions>,
  signal?: AbortSignal,
): ConnectOptions & { readonly retries: number } {
  const seconds = options['connect-timeout'] ?? 15;
  if (!(seconds > 0)) throw usageError(`--connect-timeout ${seconds} is not a number of seconds`, { code: 'usage' });
  const retries = options.retries ?? DEFAULT_RETRIES;
  if (!Number.isInteger(retries) || retries < 0 || retries > 100) {
    throw usageError(`--retries ${retries} is not a whole number from 0 to 100`, { code: 'usage' });
  }
  const prompt = terminalPrompt();
  return {
    acceptNewHostKey: options['accept-new-host-key'] ?? false,
    connectTimeoutMs: seconds * 1000,
    retries,
    ...(options.identity === undefined ? {} : { identities: options.identity }),
    ...(options['known-hosts'] === undefined ? {} : { knownHostsFiles: options['known-hosts'] }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(signal === undefined ? {} : { signal }),
  };
}
