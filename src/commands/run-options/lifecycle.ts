/** Options of `run` and `create`: the container's name, its engine, and what becomes of it. */
import type { Argv } from 'yargs';
import { usageError } from '../../errors.ts';
import type { EngineWish, LifecycleOptions } from '../../runtime/options.ts';
import { parseRestartPolicy } from '../../runtime/restart-policy.ts';
import { parseSize } from '../../runtime/size.ts';
import { knownSignal } from '../../runtime/stop-signal.ts';

export interface LifecycleArguments {
  rm: boolean;
  name: string | undefined;
  engine: EngineWish;
  restart: string;
  'stop-signal': string | undefined;
  'stop-timeout': number | undefined;
  'log-opt': string[] | undefined;
}

export function withLifecycle<Options>(parser: Argv<Options>): Argv<Options & LifecycleArguments> {
  return parser
    .option('rm', { type: 'boolean', default: false, describe: 'remove the container when it has ended' })
    .option('name', { type: 'string', requiresArg: true, describe: 'name of the container' })
    .option('restart', {
      type: 'string',
      default: 'no',
      requiresArg: true,
      describe: 'no, on-failure[:RETRIES], always or unless-stopped',
    })
    .option('stop-signal', { type: 'string', requiresArg: true, describe: "in place of the image's" })
    .option('stop-timeout', {
      type: 'number',
      requiresArg: true,
      describe:
        'seconds that a stop waits before it kills: 10; 90 for a system (--init), and as long as their profiles say for services',
    })
    .option('log-opt', { type: 'string', array: true, nargs: 1, describe: 'max-size=SIZE of the log: 10m' })
    .option('engine', {
      type: 'string',
      choices: ['auto', 'namespaces', 'runc', 'crun'] as const satisfies readonly EngineWish[],
      default: 'auto' as const,
      describe: 'auto: runc or crun if one works, else namespaces, which needs util-linux only',
    });
}

/** @throws P2cError (usage). */
export function lifecycleOptions(given: LifecycleArguments): LifecycleOptions {
  const restart = parseRestartPolicy(given.restart);
  if (given.rm && restart.name !== 'no') {
    throw usageError('--rm removes the container that --restart would start again', {
      code: 'usage',
      hint: 'leave one of them out',
    });
  }
  return {
    autoRemove: given.rm,
    name: given.name,
    engine: given.engine,
    restart,
    stopSignal: signalFrom(given['stop-signal']),
    stopTimeout: timeoutFrom(given['stop-timeout']),
    logMaxSize: logMaxSizeFrom(given['log-opt'] ?? []),
  };
}

function signalFrom(text: string | undefined): string | undefined {
  if (text === undefined || knownSignal(text) !== undefined) return text;
  throw usageError(`--stop-signal '${text}' is no signal`, { code: 'usage', hint: "'kill -l' lists them" });
}

function timeoutFrom(seconds: number | undefined): number | undefined {
  if (seconds === undefined || (seconds >= 0 && seconds < 1e6)) return seconds;
  throw usageError('--stop-timeout takes a number of seconds', { code: 'usage' });
}

function logMaxSizeFrom(options: readonly string[]): number | undefined {
  const sizes = options.map((option) => {
    const found = /^max-size=(.+)$/.exec(option)?.[1];
    if (found !== undefined) return parseSize('--log-opt max-size', found);
    throw usageError(`--log-opt '${option}' is not known`, { code: 'usage', hint: 'max-size=10m is' });
  });
  return sizes.at(-1);
}
