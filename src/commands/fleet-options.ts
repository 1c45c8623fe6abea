/** The options of the verbs that run over an inventory, and what they mean for its hosts. */
import type { Argv } from 'yargs';
import { usageError } from '../errors.ts';
import type { Hooks } from '../fleet/hooks.ts';
import type { Inventory } from '../fleet/host.ts';
import type { QueueLimits } from '../fleet/queue.ts';
import { parseSerial } from '../fleet/waves.ts';
import { suggestion } from '../profiles/nearest.ts';
import { parseSize } from '../profiles/quantity.ts';
import { type InventoryOptions, withInventoryOptions } from './inventory-options.ts';
import { requireReplaceable } from './writable-file.ts';

export interface FleetOptions extends InventoryOptions {
  concurrency: number;
  serial: string[] | undefined;
  'fail-fast': boolean;
  'max-failures': number | undefined;
  attempts: number;
  'per-jump': number | undefined;
  'per-group': string[] | undefined;
  pre: string | undefined;
  post: string | undefined;
  fail: string | undefined;
  'batch-pre': string | undefined;
  'batch-post': string | undefined;
  'batch-fail': string | undefined;
  webhook: string | undefined;
  'metrics-file': string | undefined;
}

export function withFleetOptions<Declared>(parser: Argv<Declared>): Argv<Declared & FleetOptions> {
  return withHookOptions(withBatchOptions(withInventoryOptions(parser)));
}

type HookOptions = Pick<
  FleetOptions,
  'pre' | 'post' | 'fail' | 'batch-pre' | 'batch-post' | 'batch-fail' | 'webhook' | 'metrics-file'
>;

function withHookOptions<Declared>(parser: Argv<Declared>): Argv<Declared & HookOptions> {
  const command = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
  return parser
    .option('pre', command('command run before a host is begun; where it fails, the host is not begun'))
    .option('post', command('command run when a host is done, given its result as JSON on standard input'))
    .option('fail', command('command run when a host failed, given the error as JSON on standard input'))
    .option('batch-pre', command('command run before the first host; where it fails, none is begun'))
    .option('batch-post', command('command run when every host is done'))
    .option('batch-fail', command('command run when a host of the batch failed, or the --batch-pre command'))
    .option('webhook', command('address that what the commands are given is posted to'))
    .option('metrics-file', command("file for node-exporter's textfile collector, kept up to date: NAME.prom"));
}

function withBatchOptions<Declared>(
  parser: Argv<Declared>,
): Argv<Declared & Omit<FleetOptions, keyof HookOptions | keyof InventoryOptions>> {
  return parser
    .option('concurrency', { type: 'number', default: 2, requiresArg: true, describe: 'hosts at the same time' })
    .option('serial', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'hosts of a wave, N or N%: the next begins when all of one are over (repeatable: the last counts on)',
    })
    .option('fail-fast', { type: 'boolean', default: false, describe: 'begin no further host once one has failed' })
    .option('max-failures', {
      type: 'number',
      requiresArg: true,
      describe: 'begin no further host once more than this many have failed',
    })
    .option('attempts', {
      type: 'number',
      default: 2,
      requiresArg: true,
      describe: 'how often a host is begun whose failure may heal, with growing waits between',
    })
    .option('per-jump', { type: 'number', requiresArg: true, describe: 'hosts at once behind one jump host' })
    .option('per-group', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'hosts at once of a group of the inventory: web=2 (repeatable)',
    });
}

/** What is read of them once they are known to be right. */
export interface FleetPlan {
  readonly limits: QueueLimits;
  readonly attempts: number;
  /** Bytes. */
  readonly reserve: number;
  /** Of each host. */
  readonly commands: Hooks['commands'];
  readonly batchCommands: Hooks['commands'];
  /** Told of each host and of the batch. */
  readonly webhook: URL | undefined;
  readonly metricsFile: string | undefined;
}

/** Of a batch: a store that is filled to the last byte by some hosts would fail the others. */
const BATCH_RESERVE = 1024 ** 3;

/** @param hosts how many are meant. @throws P2cError `usage`. */
export async function fleetPlan(
  options: Omit<FleetOptions, 'inventory'> & { readonly reserve?: string | undefined },
  inventory: Inventory,
  hosts: number,
): Promise<FleetPlan> {
  const { pre, post, fail } = options;
  return {
    limits: limitsOf(options, inventory, hosts),
    attempts: wholeNumber('attempts', options.attempts, 1, 20),
    reserve: reserveOf(options.reserve) ?? BATCH_RESERVE,
    commands: commandsOf(pre, post, fail),
    batchCommands: commandsOf(options['batch-pre'], options['batch-post'], options['batch-fail']),
    webhook: webhookOf(options.webhook),
    metricsFile: await metricsFileOf(options['metrics-file']),
  };
}

function limitsOf(options: Omit<FleetOptions, 'inventory'>, inventory: Inventory, hosts: number): QueueLimits {
  const { serial = [] } = options;
  const waves = parseSerial(serial, hosts);
  if (waves === undefined) {
    throw usageError(`--serial ${serial.join(' ')} is neither a number of hosts nor a share of them`, {
      code: 'usage',
      hint: "write '5' or '20%'",
    });
  }
  const most = options['max-failures'];
  const perJump = options['per-jump'];
  return {
    concurrency: wholeNumber('concurrency', options.concurrency, 1, 10_000),
    serial: waves,
    maxFailures: options['fail-fast'] ? 0 : most === undefined ? undefined : wholeNumber('max-failures', most, 0, 1e6),
    perJump: perJump === undefined ? undefined : wholeNumber('per-jump', perJump, 1, 10_000),
    perGroup: groupsOf(options['per-group'], inventory),
  };
}

function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw usageError(`--${option} ${value} is not a whole number from ${least} to ${most}`, { code: 'usage' });
}

function groupsOf(words: readonly string[] = [], { file, groups }: Inventory): Map<string, number> {
  const known = groups.map(({ name }) => name);
  return new Map(
    words.map((word) => {
      const [, group, count] = /^([^=]+)=(\d{1,4})$/.exec(word) ?? [];
      if (group === undefined || Number(count) < 1) {
        throw usageError(`--per-group '${word}' is no group and number`, { code: 'usage', hint: "write 'web=2'" });
      }
      if (known.includes(group)) return [group, Number(count)];
      throw usageError(`--per-group '${word}': ${file} has no group '${group}'${suggestion(group, known)}`, {
        code: 'usage',
        hint:
          group === 'all' ? '--concurrency is for all of them' : `'p2c inventory graph -i ${file}' shows the groups`,
      });
    }),
  );
}

/** It is written all along a batch: that it cannot be is better known before the first host is begun. */
async function metricsFileOf(file: string | undefined): Promise<string | undefined> {
  const hint = "name a file in the folder that node-exporter's textfile collector reads";
  if (file !== undefined) await requireReplaceable({ option: 'metrics-file', file, hint });
  return file;
}

/** Bytes. @throws P2cError `usage`. */
export function reserveOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw usageError(`--reserve '${text}' is no size`, { code: 'usage', hint: 'write 500m, 1g or 0' });
}

function webhookOf(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  // What was given may be a secret with a slip in it.
  throw usageError('--webhook is no address that begins with https:// or http://', { code: 'usage' });
}

function commandsOf(pre: string | undefined, post: string | undefined, fail: string | undefined): Hooks['commands'] {
  return {
    ...(pre === undefined ? {} : { pre }),
    ...(post === undefined ? {} : { post }),
    ...(fail === undefined ? {} : { fail }),
  };
}
