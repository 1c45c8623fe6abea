/** Options of `run` and `create`: how much of the machine a container may take. */
import type { Argv } from 'yargs';
import { usageError } from '../../errors.ts';
import { parseMemory } from '../../runtime/memory-limit.ts';
import type { ResourceWishes } from '../../runtime/options.ts';
import { parseSize } from '../../runtime/size.ts';
import { parseUlimit } from '../../runtime/ulimit.ts';

export interface ResourceArguments {
  'shm-size': string | undefined;
  ulimit: string[] | undefined;
  memory: string | undefined;
  cpus: number | undefined;
  'pids-limit': number | undefined;
}

/** The kernel's least quota is a millisecond in its period of 100 (sched-bwc.rst). */
const LEAST_CPUS = 0.01;

export function withResources<Options>(parser: Argv<Options>): Argv<Options & ResourceArguments> {
  return parser
    .option('memory', {
      alias: 'm',
      type: 'string',
      requiresArg: true,
      describe: 'memory at most: 512m, 2g',
    })
    .option('cpus', { type: 'number', requiresArg: true, describe: 'processors at most: 1.5' })
    .option('pids-limit', {
      type: 'number',
      requiresArg: true,
      describe: 'processes and threads at most; -1: no limit',
    })
    .option('shm-size', {
      type: 'string',
      requiresArg: true,
      describe: 'size of /dev/shm [64m; as all limits, what the image asks for]',
    })
    .option('ulimit', { type: 'string', array: true, nargs: 1, describe: 'NAME=SOFT[:HARD], -1 for unlimited' });
}

/** @throws P2cError (usage). */
export function resourceOptions(given: ResourceArguments): ResourceWishes {
  return {
    shmSize: given['shm-size'] === undefined ? undefined : parseSize('--shm-size', given['shm-size']),
    ulimits: (given.ulimit ?? []).map(parseUlimit),
    memory: given.memory === undefined ? undefined : parseMemory(given.memory),
    cpus: cpusFrom(given.cpus),
    pidsLimit: pidsFrom(given['pids-limit']),
  };
}

function cpusFrom(cpus: number | undefined): number | undefined {
  if (cpus === undefined || (cpus >= LEAST_CPUS && cpus <= 1e6)) return cpus;
  throw usageError(`--cpus takes a number of processors, ${LEAST_CPUS} or more`, { code: 'usage' });
}

/** As podman: -1 is no limit, and so is 0. */
function pidsFrom(limit: number | undefined): number | undefined {
  if (limit === undefined || limit === 0 || limit === -1) return undefined;
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw usageError('--pids-limit takes a whole number', { code: 'usage' });
}
