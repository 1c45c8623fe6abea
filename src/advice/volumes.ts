/** Folders that live longer than a container: what is mounted apart, and where databases keep their data. */
import { normalize } from 'node:path/posix';
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';

export interface ProposedVolume {
  readonly path: string;
  readonly reason: string;
}

/** Filesystems of the system itself, apart only so that one cannot fill the other. */
const SYSTEMS_OWN = new Set([
  '/',
  '/efi',
  '/usr',
  '/usr/local',
  '/var',
  '/var/log',
  '/var/log/audit',
  '/var/tmp',
  '/tmp',
  '/opt',
  '/root',
]);
/** Of the boot loader, and of snapper: SUSE has subvolumes of their own for them. */
const NEVER_DATA = /^\/boot(?:\/|$)|\/\.snapshots$/;
/** Directories of a setting that are the program's own state, and small: no volume is worth it. */
const SMALL = new Set(['bind', 'postfix']);

/** Of one below the other only the upper is taken: a volume within a volume is hard to move. */
export function proposedVolumes({ volumes, dataDirectories }: Inspection): ProposedVolume[] {
  const mounts = volumes
    .filter(({ verdict }) => verdict === 'included')
    .filter(({ mountPoint }) => !SYSTEMS_OWN.has(mountPoint) && !NEVER_DATA.test(mountPoint))
    .map(({ mountPoint, type }) => ({ path: mountPoint, reason: `a filesystem of its own (${type})` }));
  const data = valueOr(dataDirectories, [])
    .filter(({ application }) => !SMALL.has(application))
    .map(({ application, path, from }) => ({
      path: plainPath(path),
      reason: `data of ${application}, as ${from} says`,
    }))
    .filter(({ path }) => path !== '/');
  const all = [...mounts, ...data].filter(({ path }) => path.startsWith('/') && !path.includes('\\'));
  const tops = all.filter(
    ({ path }, index) => !all.some((other, place) => place !== index && holds(other.path, path, place < index)),
  );
  return tops.map(({ path, reason }) => {
    const inside = data.filter((one) => one.path !== path && one.path.startsWith(`${path}/`));
    return { path, reason: [reason, ...inside.map((one) => `in it ${one.reason}`)].join('; ') };
  });
}

/** Settings say `/srv/x/../data` and `/srv//data/`; a profile has no `..`, and one folder is one volume. */
function plainPath(path: string): string {
  const plain = normalize(path);
  return plain.length > 1 ? plain.replace(/\/$/, '') : plain;
}

/** @param first which of two equal paths stays. */
function holds(upper: string, lower: string, first: boolean): boolean {
  return upper === lower ? first : lower.startsWith(`${upper}/`);
}
