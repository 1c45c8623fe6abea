/** What the containers of an image are to have of a machine, by the profiles that apply. */
import type { Profile } from './schema.ts';

type Limits = Profile['limits'];

/** Labels' values; of several profiles the largest counts, for one container holds all their applications. */
export interface WishedLimits {
  /** Bytes. */
  readonly memory: number | undefined;
  /** Bytes. */
  readonly shmSize: number | undefined;
  readonly cpus: number | undefined;
  /** As `--ulimit` takes them, with spaces between. */
  readonly ulimits: string | undefined;
}

const ULIMITS = ['core', 'fsize', 'memlock', 'nofile', 'nproc', 'stack'] as const satisfies (keyof Limits)[];

export function limitsOf(profiles: readonly Pick<Profile, 'limits'>[]): WishedLimits {
  const all = profiles.map(({ limits }) => limits);
  const largest = (name: 'memory' | 'shm' | 'cpus'): number | undefined => {
    const values = all.flatMap((limits) => limits[name] ?? []);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  const ulimits = ULIMITS.flatMap((name) => {
    const values = all.flatMap((limits) => limits[name] ?? []);
    const of = (end: 'soft' | 'hard'): number => highest(values.map((value) => value[end]));
    return values.length === 0 ? [] : [`${name}=${of('soft')}:${of('hard')}`];
  });
  return {
    memory: largest('memory'),
    shmSize: largest('shm'),
    cpus: largest('cpus'),
    ulimits: ulimits.length === 0 ? undefined : ulimits.join(' '),
  };
}

/** -1 is "no limit". */
function highest(values: readonly number[]): number {
  return values.includes(-1) ? -1 : Math.max(...values);
}
