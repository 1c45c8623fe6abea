/** What system an image holds: told from its own files. */
import type { Draft } from './draft.ts';

export type Init = 'sysvinit' | 'upstart' | 'systemd' | 'none';

export interface System {
  readonly distribution: 'debian' | 'ubuntu' | 'el' | 'sles' | 'unknown';
  /** Its major version; 0 where it is not known. */
  readonly version: number;
  readonly init: Init;
  /** What init starts by itself: `2`, `multi-user.target`; undefined for an image without an init. */
  readonly runlevel: string | undefined;
}

/** The last releases whose systemd knows no cgroups of version 2 alone: 219, 215, 229 and 228 (systemd's NEWS, 230). */
const OLD_CGROUPS: Readonly<Record<System['distribution'], number>> = {
  el: 7,
  debian: 8,
  ubuntu: 16,
  sles: 12,
  unknown: 0,
};

export function needsOldCgroups({ distribution, version, init }: System): boolean {
  return init === 'systemd' && version > 0 && version <= OLD_CGROUPS[distribution];
}

type Tree = Pick<Draft, 'text' | 'kind' | 'real' | 'target' | 'names'>;

/** As a report names it: `el6 (upstart)`. */
export function describeSystem({ distribution, version, init }: System): string {
  const name = distribution === 'unknown' || version === 0 ? distribution : `${distribution}${version}`;
  return `${name} (${init === 'none' ? 'no init' : init})`;
}

export function systemOf(tree: Tree): System {
  const init = initOf(tree);
  return { ...distributionOf(tree), init, runlevel: runlevelOf(tree, init) };
}

/** os-release(5), and what older systems have in its place. */
function distributionOf(tree: Tree): Pick<System, 'distribution' | 'version'> {
  const release = assignments(tree.text('/etc/os-release') ?? tree.text('/usr/lib/os-release') ?? '');
  const words = [release.get('ID') ?? '', ...(release.get('ID_LIKE') ?? '').split(' ')].map((word) =>
    word.toLowerCase(),
  );
  const version = majorOf(release.get('VERSION_ID') ?? '');
  if (words.includes('ubuntu')) return { distribution: 'ubuntu', version };
  if (words.includes('debian')) return { distribution: 'debian', version };
  if (words.some((word) => /^(?:rhel|centos|fedora|ol|amzn)$/.test(word))) return { distribution: 'el', version };
  if (words.some((word) => /^(?:sles|sled|suse)$|^opensuse/.test(word))) return { distribution: 'sles', version };
  return olderDistribution(tree);
}

function olderDistribution(tree: Tree): Pick<System, 'distribution' | 'version'> {
  const lsb = assignments(tree.text('/etc/lsb-release') ?? '');
  if (lsb.get('DISTRIB_ID') === 'Ubuntu') {
    return { distribution: 'ubuntu', version: majorOf(lsb.get('DISTRIB_RELEASE') ?? '') };
  }
  const redhat = tree.text('/etc/redhat-release');
  if (redhat !== undefined) return { distribution: 'el', version: majorOf(/release (\d+)/.exec(redhat)?.[1] ?? '') };
  const suse = tree.text('/etc/SuSE-release');
  if (suse !== undefined) return { distribution: 'sles', version: majorOf(/^VERSION = (\d+)/m.exec(suse)?.[1] ?? '') };
  const debian = tree.text('/etc/debian_version');
  if (debian !== undefined) return { distribution: 'debian', version: majorOf(debian) };
  return { distribution: 'unknown', version: 0 };
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

/** `KEY=value` lines of shell, quotes taken off. */
function assignments(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)];
  return new Map(lines.map(([, key = '', value = '']) => [key, value.trim().replace(/^(['"])(.*)\1$/, '$2')]));
}

function majorOf(version: string): number {
  return Number(/^\d+/.exec(version.trim())?.[0] ?? 0);
}
