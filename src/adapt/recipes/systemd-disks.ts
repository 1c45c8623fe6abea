import type { Draft } from '../draft.ts';
import { hasInit, type Recipe } from '../recipe.ts';
import { requirementsIn, withoutRequirements } from '../requirements.ts';
import { hasUnit, OWN_UNITS, requiringLinks, type UnitFile, unitFiles } from '../unit-files.ts';

/**
 * The runner mounts everything (see fstab): a unit that mounts a disk itself fails, and one that requires a mount, swap or disk
 * of the old server never starts, for no unit of that name is there (systemd.unit(5), "Requires=").
 */
export const systemdDisks: Recipe = {
  name: 'systemd-disks',
  summary: "masks units that mount the old server's disks, and takes those out of what other units require",
  appliesTo: hasInit('systemd'),
  apply: (draft) => {
    const fstab = draft.text('/etc/fstab') ?? '';
    // Where fstab stayed, so do the units that systemd makes of it (systemd-fstab-generator(8)).
    if (/^[ \t]*[^#\s]/m.test(fstab)) return;
    const disks = new Set([...fstab.matchAll(/^#p2c#[ \t]+(\/dev\/\S+)/gm)].map(([, disk = '']) => disk));
    const files = unitFiles(draft);
    for (const what of maskMounts(draft, files)) disks.add(what);
    const devices = new Set([...disks].map((disk) => `${escaped(disk)}.device`));
    const isGone = (unit: string): boolean => devices.has(unit) || isOfOldServer(draft, unit);
    for (const { name, path } of requiringLinks(draft)) if (isGone(name)) draft.remove(path);
    for (const file of files) withoutDisks(draft, file, isGone);
  },
};

/** Disks' names in /dev, as units have them; other devices say which hardware a unit is for. */
const DISK =
  /^dev-(?:disk|mapper|cciss|sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme\d|mmcblk\d|dasd[a-z]|md\d|dm\\x2d\d|drbd\d)/;
/** They are there before any init runs, and systemd has a unit for each. */
const MOUNTED = ['-.mount', 'proc.mount', 'sys.mount', 'dev.mount', 'dev-pts.mount', 'dev-shm.mount', 'run.mount'];

function isOfOldServer(draft: Draft, unit: string): boolean {
  if (unit.includes('%') || MOUNTED.includes(unit)) return false;
  if (unit.endsWith('.device')) return DISK.test(unit);
  return /\.(?:mount|automount|swap)$/.test(unit) && !hasUnit(draft, unit);
}

/** As systemd-escape(1) writes a path. */
function escaped(path: string): string {
  const unusual = (sign: string): string => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return path
    .slice(1)
    .replace(/[^\w:./]/g, unusual)
    .replaceAll('/', '-');
}

/** @returns the disks that were mounted. */
function maskMounts(draft: Draft, all: readonly UnitFile[]): string[] {
  const mask = (unit: string): void => draft.link(`${OWN_UNITS}/${unit}`, '/dev/null');
  const files = all.filter(({ name, unit }) => name === unit);
  const mounted = files.flatMap(({ unit, path }) => {
    const text = unit.endsWith('.mount') ? (draft.text(path) ?? '') : '';
    const what = /^[ \t]*What[ \t]*=[ \t]*(\S*)/m.exec(text)?.[1] ?? '';
    if (!unit.endsWith('.swap') && !isServers(what, text)) return [];
    mask(unit);
    return what.startsWith('/dev/') ? [what] : [];
  });
  for (const { unit } of files) {
    if (unit.endsWith('.automount') && !hasUnit(draft, unit.replace(/\.automount$/, '.mount'))) mask(unit);
  }
  return mounted;
}

/** A disk, a network share, or a folder mounted at a second place (see binds); `tmpfs` needs nothing, nor does a file. */
function isServers(what: string, text: string): boolean {
  const isBound = what.startsWith('/') && /^[ \t]*Options[ \t]*=.*\br?bind\b/m.test(text);
  return /^\/dev\/|^\/\/|[:=]/.test(what) || isBound;
}

function withoutDisks(draft: Draft, { name, path }: UnitFile, isGone: (unit: string) => boolean): void {
  const text = draft.text(path);
  if (text === undefined) return;
  const changed = withoutRequirements(text, isGone);
  const own = `${OWN_UNITS}/${name}`;
  if (changed !== text) {
    // A link to the distribution's own file.
    if (draft.target(own) !== undefined) draft.remove(own);
    draft.write(own, changed);
  }
  const unclear = requirementsIn(changed).find((unit) => unit.includes('%') && /\.(?:device|mount|swap)$/.test(unit));
  if (path === own && unclear !== undefined) draft.passOver(own, `it requires ${unclear}, which may be a disk`);
}
