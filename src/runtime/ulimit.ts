/** Resource limits, named as podman's `--ulimit` and prlimit(1) name them. */
import { usageError } from '../errors.ts';

/** setrlimit(2) without its `RLIMIT_`, in lower case; all are options of prlimit(1) too, but where told otherwise. */
const NAMES = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const;
type LimitName = (typeof NAMES)[number];

/** One limit of a process. */
export interface Ulimit {
  readonly name: LimitName;
  /** In the limit's own unit (bytes, seconds, files…). */
  readonly soft: number | 'unlimited';
  readonly hard: number | 'unlimited';
}

/**
 * Old rpm, yum, cups and MySQL walk or allocate for all descriptors up to the limit: with the 2^30 of a newer host they
 * loop for minutes or take all memory.
 */
export const DEFAULT_ULIMITS: readonly Ulimit[] = [{ name: 'nofile', soft: 1024, hard: 4096 }];

/**
 * `memlock=-1`, `nofile=1024:4096`: soft and hard, -1 for unlimited; one value stands for both.
 * @throws P2cError `runtime.ulimit` (usage).
 */
export function parseUlimit(text: string): Ulimit {
  const found = /^([a-z]+)=(-1|unlimited|[0-9]{1,18})(?::(-1|unlimited|[0-9]{1,18}))?$/.exec(text);
  const name = NAMES.find((known) => known === found?.[1]);
  if (found === null || name === undefined) {
    throw usageError(`--ulimit '${text}' is no limit`, {
      code: 'runtime.ulimit',
      hint: `NAME=SOFT[:HARD], -1 for unlimited; the names are ${NAMES.join(', ')}`,
    });
  }
  const soft = limitValue(found[2] ?? '');
  const hard = limitValue(found[3] ?? found[2] ?? '');
  if (hard !== 'unlimited' && (soft === 'unlimited' || soft > hard)) {
    throw usageError(`--ulimit '${text}': the soft limit is above the hard one`, { code: 'runtime.ulimit' });
  }
  return { name, soft, hard };
}

function limitValue(text: string): number | 'unlimited' {
  return text === '-1' || text === 'unlimited' ? 'unlimited' : Number(text);
}

/** The defaults with what the user gave: the last of a name counts. */
export function mergeUlimits(...lists: readonly (readonly Ulimit[])[]): Ulimit[] {
  return [...new Map(lists.flat().map((limit) => [limit.name, limit])).values()];
}
