/** Units that are not to act in a container, and what stands in for those that others require. */
import type { Draft } from '../draft.ts';
import { requirementsIn } from '../requirements.ts';
import { hasUnit, OWN_UNITS, PLACES, requiringLinks, unitFiles } from '../unit-files.ts';

const TEMPLATE = /@[^.]*(?=\.)/;

/**
 * Masks those that the image has (systemctl(1), "mask"). A unit that requires a masked one never starts: where there is such a
 * unit, a service of the name does nothing, and does it well.
 */
export function maskUnits(draft: Draft, units: readonly string[]): void {
  const here = units.filter((unit) => isThere(draft, unit) && draft.target(`${OWN_UNITS}/${unit}`) !== '/dev/null');
  if (here.length === 0) return;
  const required = requiredBy(draft, new Set(units));
  for (const unit of here) {
    const requirer = required.get(unit);
    if (requirer !== undefined && unit.endsWith('.service')) standIn(draft, unit);
    else draft.link(`${OWN_UNITS}/${unit}`, '/dev/null');
    // Mounts are taken out of what units require (systemd-disks).
    const stays = requirer?.startsWith(OWN_UNITS) === true && !/\.(?:service|mount|automount)$/.test(unit);
    if (stays) draft.passOver(requirer, `it requires ${unit}, which is masked`);
  }
}

function isThere(draft: Draft, unit: string): boolean {
  const template = unit.replace(TEMPLATE, '@');
  return PLACES.some((place) => [unit, template].some((name) => draft.kind(`${place}/${name}`) !== undefined));
}

/** What units require that are not to be masked themselves, and where it is said. */
function requiredBy(draft: Draft, masked: ReadonlySet<string>): Map<string, string> {
  const all = [
    ...requiringLinks(draft).map(({ unit, name, path }) => ({ unit, path, required: [name] })),
    ...unitFiles(draft).map(({ unit, path }) => ({ unit, path, required: requirementsIn(draft.text(path) ?? '') })),
  ].filter(({ unit }) => !masked.has(unit) && hasUnit(draft, unit));
  return new Map(all.flatMap(({ path, required }) => required.map((unit) => [unit, path])));
}

function standIn(draft: Draft, unit: string): void {
  const own = `${OWN_UNITS}/${unit}`;
  // Otherwise the file that it leads to would be written.
  if (draft.target(own) !== undefined) draft.remove(own);
  draft.write(own, inNameOnly(unit));
  // What was added to the real one is not for this one.
  for (const place of PLACES) {
    for (const path of draft.matching(`${place}/${unit}.d`, /\.conf$/))
      draft.link(`${OWN_UNITS}/${path.slice(place.length + 1)}`, '/dev/null');
  }
}

/** Without default dependencies it can be required as early as the real one. */
function inNameOnly(unit: string): string {
  return `# Made by p2c: a container has no use for it, and units that require it start all the same.
[Unit]
Description=${unit}, in name only (p2c)
DefaultDependencies=no

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
`;
}
