/** What system an image holds: told from its own files. */
import { type Distribution, distributionOf } from './distribution.ts';
import type { Draft } from './draft.ts';

export type Init = 'sysvinit' | 'upstart' | 'systemd' | 'none';

export interface System extends Distribution {
  readonly init: Init;
  /** What init starts by itself: `2`, `multi-user.target`; undefined for an image without an init. */
  readonly runlevel: string | undefined;
  /** The release of its systemd; undefined where no file tells. */
  readonly systemd: number | undefined;
}

/** The first that knows cgroups of version 2 alone (systemd's NEWS). */
const NEW_CGROUPS = 230;
/** Where no file tells, by whose numbers the version is of: the last releases with an older one, 208 to 229. */
const OLD_CGROUPS: ReadonlyMap<string, number> = new Map([
  ['el', 7],
  ['amzn', 2],
  ['fedora', 24],
  ['debian', 8],
  ['ubuntu', 16],
  ['sles', 12],
  // Its Leap 42 came after 13; from 15 on it is `opensuse-leap`.
  ['opensuse', 42],
]);

export function needsOldCgroups({ name, version, init, systemd }: System): boolean {
  if (init !== 'systemd') return false;
  if (systemd !== undefined) return systemd < NEW_CGROUPS;
  return version > 0 && version <= (OLD_CGROUPS.get(name) ?? 0);
}

type Tree = Pick<Draft, 'text' | 'kind' | 'real' | 'target' | 'names'>;

/** As a report names it: `el6 (upstart)`. */
export function describeSystem({ name, version, init }: System): string {
  return `${name}${version === 0 ? '' : version} (${init === 'none' ? 'no init' : init})`;
}

export function systemOf(tree: Tree): System {
  const init = initOf(tree);
  const systemd = init === 'systemd' ? systemdOf(tree) : undefined;
  return { ...distributionOf(tree), init, runlevel: runlevelOf(tree, init), systemd };
}

/** From 231 on its programs share a library that has the release in its name. */
function systemdOf(tree: Tree): number | undefined {
  const names = ['/usr/lib/systemd', '/lib/systemd'].flatMap((folder) => tree.names(folder));
  const releases = names.flatMap((name) => /^libsystemd-shared-(\d{3})\D/.exec(name)?.[1] ?? []);
  return releases.length === 0 ? undefined : Math.min(...releases.map(Number));
}

/**
 * By what /sbin/init is: a link to systemd; else upstart where it has jobs for the runlevels; else sysvinit where it has
 * an inittab(5). Any other, as busybox's or OpenRC's, p2c does not know how to adapt.
 */
function initOf(tree: Tree): Init {
  const init = tree.real('/sbin/init');
  if (init === undefined || tree.kind('/sbin/init') === undefined) return 'none';
  if (/\/systemd$/.test(init)) return 'systemd';
  if (!/\/init$/.test(init) && !/upstart|sysvinit/.test(init)) return 'none';
  if (tree.names('/etc/init').some((name) => /^(?:rc|rcS|rc-sysinit)\.conf$/.test(name))) return 'upstart';
  if (tree.kind('/etc/inittab') === 'file') return 'sysvinit';
  return 'none';
}

function runlevelOf(tree: Tree, init: Init): string | undefined {
  if (init === 'none') return undefined;
  if (init === 'systemd') {
    const target = tree.target('/etc/systemd/system/default.target');
    return target?.split('/').at(-1) ?? 'multi-user.target';
  }
  const inittab = /^id:(\d):initdefault:/m.exec(tree.text('/etc/inittab') ?? '')?.[1];
  const upstart = /^env DEFAULT_RUNLEVEL=(\d)/m.exec(tree.text('/etc/init/rc-sysinit.conf') ?? '')?.[1];
  return inittab ?? upstart ?? '3';
}
