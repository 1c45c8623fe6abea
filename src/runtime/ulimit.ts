/** Resource limits, named as podman's `--ulimit` and prlimit(1) name them. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { hasCapability } from './capabilities.ts';
import { inUserNamespace } from './rootless/user-namespace.ts';

/** setrlimit(2)'s names without `RLIMIT_`, as prlimit(1) has them too, and what `/proc/PID/limits` calls them. */
const NAMES = {
  as: 'Max address space',
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
} as const;
type LimitName = keyof typeof NAMES;

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
  const name = limitNames().find((known) => known === found?.[1]);
  if (found === null || name === undefined) {
    throw usageError(`--ulimit '${text}' is no limit`, {
      code: 'runtime.ulimit',
      hint: `NAME=SOFT[:HARD], -1 for unlimited; the names are ${limitNames().join(', ')}`,
    });
  }
  const soft = limitValue(found[2] ?? '');
  const hard = limitValue(found[3] ?? found[2] ?? '');
  if (hard !== 'unlimited' && (soft === 'unlimited' || soft > hard)) {
    throw usageError(`--ulimit '${text}': the soft limit is above the hard one`, { code: 'runtime.ulimit' });
  }
  return { name, soft, hard };
}

function limitNames(): LimitName[] {
  return Object.keys(NAMES).filter((name): name is LimitName => name in NAMES);
}

function limitValue(text: string): number | 'unlimited' {
  return text === '-1' || text === 'unlimited' ? 'unlimited' : Number(text);
}

/** The defaults with what the user gave: the last of a name counts. */
export function mergeUlimits(...lists: readonly (readonly Ulimit[])[]): Ulimit[] {
  return [...new Map(lists.flat().map((limit) => [limit.name, limit])).values()];
}

/**
 * The limits that a container gets: the defaults, as far as this machine can give them, and the user's, which it must;
 * but "unlimited" is as much as it can give. Only with CAP_SYS_RESOURCE can a hard limit be raised, and p2c may itself
 * run in a container without.
 * @throws P2cError `runtime.ulimit` (usage).
 */
export function attainableUlimits(given: readonly Ulimit[], most = hardLimits()): Ulimit[] {
  const beyond = given.find(({ name, hard }) => hard !== 'unlimited' && isAbove(hard, most.get(name)));
  if (beyond !== undefined) {
    throw usageError(`--ulimit ${beyond.name}: ${beyond.hard} is above this machine's own ${most.get(beyond.name)}`, {
      code: 'runtime.ulimit',
      hint: `ask for less, or ${inUserNamespace() ? 'sudo p2c run …' : 'give p2c the capability CAP_SYS_RESOURCE'}`,
    });
  }
  return possibleUlimits(mergeUlimits(DEFAULT_ULIMITS, given), most);
}

/** As much of them as this machine can give. */
export function possibleUlimits(limits: readonly Ulimit[], most = hardLimits()): Ulimit[] {
  return limits.map(({ name, soft, hard }) => {
    const bound = most.get(name);
    return { name, soft: lower(soft, bound), hard: lower(hard, bound) };
  });
}

/** What is asked for without a limit, and this machine cannot give so: a sentence each. */
export function loweredUlimits(given: readonly Ulimit[], most = hardLimits()): string[] {
  return given
    .filter(({ name, hard }) => hard === 'unlimited' && isAbove(hard, most.get(name)))
    .map(
      ({ name }) =>
        `--ulimit ${name}: ${most.get(name)} and not unlimited, for ${inUserNamespace() ? 'only root raises it' : 'p2c lacks CAP_SYS_RESOURCE here'}`,
    );
}

type Bounds = ReadonlyMap<LimitName, number | 'unlimited'>;

/** p2c's own hard limits; empty where they can be raised: that takes a capability of the first user namespace. */
function hardLimits(): Bounds {
  if (hasCapability('CAP_SYS_RESOURCE') && !inUserNamespace()) return new Map();
  const text = readFileSync('/proc/self/limits', 'latin1');
  return new Map(
    limitNames().flatMap((name) => {
      const line = text.split('\n').find((one) => one.startsWith(NAMES[name]));
      const hard = line?.slice(NAMES[name].length).trim().split(/\s+/)[1];
      return hard === undefined ? [] : [[name, limitValue(hard)] as const];
    }),
  );
}

function isAbove(value: number | 'unlimited', bound: number | 'unlimited' | undefined): boolean {
  if (bound === undefined || bound === 'unlimited') return false;
  return value === 'unlimited' || value > bound;
}

function lower(value: number | 'unlimited', bound: number | 'unlimited' | undefined): number | 'unlimited' {
  return isAbove(value, bound) && bound !== undefined ? bound : value;
}
