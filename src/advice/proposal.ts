/** The plan that the facts of a server suggest: which applications, what to leave out, which volumes, ports and limits. */
import { literalPattern } from '../listing/rules.ts';
import type { Detection } from '../profiles/detect.ts';
import type { Port } from '../profiles/scalars.ts';
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { Limit, LimitName } from '../source/inspection/process-limits.ts';
import { type Churn, churnOf } from './churn.ts';
import { type OwnStep, stepsFor } from './own-steps.ts';
import { proposedPorts } from './ports.ts';
import { type ProposedVolume, proposedVolumes } from './volumes.ts';

export interface Proposal {
  readonly profiles: readonly {
    readonly name: string;
    readonly running: boolean;
    readonly reasons: readonly string[];
  }[];
  /** Services that listen, and that no shipped profile knows: how to stop and start them. */
  readonly steps: readonly OwnStep[];
  /** Processes that listen, and of which nothing says how they are started. */
  readonly unexplained: readonly string[];
  readonly exclude: readonly { readonly path: string; readonly reason: string }[];
  readonly volumes: readonly ProposedVolume[];
  readonly churn: readonly Churn[];
  readonly ports: readonly Port[];
  readonly limits: { readonly [Name in LimitName]?: Limit } & { readonly shm?: number };
}

export function propose(inspection: Inspection, detections: readonly Detection[]): Proposal {
  const { steps, unexplained } = stepsFor(inspection, detections);
  return {
    profiles: detections.map(({ profile, running, reasons }) => ({ name: profile.name, running, reasons })),
    steps,
    unexplained,
    exclude: exclusions(inspection),
    volumes: proposedVolumes(inspection),
    churn: churnOf(inspection),
    ports: proposedPorts(inspection),
    limits: proposedLimits(inspection),
  };
}

const PACKAGE_CACHES: Readonly<Record<string, string>> = {
  dpkg: '/var/cache/apt/archives/**',
  rpm: '/var/cache/{}/**',
  apk: '/var/cache/apk/**',
  pacman: '/var/cache/pacman/pkg/**',
};

function exclusions({ containers, packages }: Inspection): Proposal['exclude'] {
  const stores = valueOr(containers, { stores: [] }).stores.map((path) => ({
    path: `${literalPattern(path)}/**`,
    reason: 'images and containers of an engine: move them with its own tools',
  }));
  const manager = valueOr(packages, undefined)?.manager;
  const cache = PACKAGE_CACHES[manager ?? ''];
  const caches =
    cache === undefined
      ? []
      : cache.includes('{}')
        ? ['yum', 'dnf', 'zypp'].map((name) => cache.replace('{}', name))
        : [cache];
  const reason = 'packages that were downloaded: they are fetched again';
  return [...stores, ...caches.map((path) => ({ path, reason }))];
}

/** What p2c gives without being asked: nofile 1024:4096, as old systems had it; 8 MiB that may be locked; 64 MiB of /dev/shm. */
const GIVEN = {
  nofile: { soft: 1024, hard: 4096 },
  memlock: { soft: 8 * 1024 * 1024, hard: 8 * 1024 * 1024 },
  shm: 64 * 1024 * 1024,
};

function proposedLimits({ limits, resources }: Inspection): Proposal['limits'] {
  const nofile = largest(limits.flatMap(({ limits: { nofile: limit } }) => limit ?? []));
  const memlock = largest(limits.flatMap(({ limits: { memlock: limit } }) => limit ?? []));
  const shm = valueOr(resources, undefined)?.sharedMemoryBytes ?? 0;
  return {
    ...(nofile !== undefined && exceeds(nofile, GIVEN.nofile) ? { nofile } : {}),
    ...(memlock !== undefined && exceeds(memlock, GIVEN.memlock) ? { memlock } : {}),
    // Twice what is in use, in whole hundreds of megabytes.
    ...(shm > GIVEN.shm / 2 ? { shm: Math.ceil((2 * shm) / 1e8) * 1e8 } : {}),
  };
}

function exceeds(limit: Limit, given: Limit): boolean {
  return sizeOf(limit.soft) > given.soft || sizeOf(limit.hard) > given.hard;
}

/** One container holds all of them, so the largest of each end counts: they may be of different processes. */
function largest(limits: readonly Limit[]): Limit | undefined {
  if (limits.length === 0) return undefined;
  const of = (end: 'soft' | 'hard'): number => {
    const size = Math.max(...limits.map((limit) => sizeOf(limit[end])));
    // Of more than a number holds exactly, the most that one does: it is as good as no limit.
    return size === Number.POSITIVE_INFINITY ? -1 : Math.min(size, Number.MAX_SAFE_INTEGER);
  };
  return { soft: of('soft'), hard: of('hard') };
}

function sizeOf(limit: number): number {
  return limit === -1 ? Number.POSITIVE_INFINITY : limit;
}
