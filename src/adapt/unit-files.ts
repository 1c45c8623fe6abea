/** The files that systemd reads units from (systemd.unit(5)). What a distribution brought is covered by a file in /etc. */
import { posix } from 'node:path';
import type { Draft } from './draft.ts';

export const OWN_UNITS = '/etc/systemd/system';
/** In the order in which they count. */
export const PLACES = [OWN_UNITS, '/usr/local/lib/systemd/system', '/lib/systemd/system', '/usr/lib/systemd/system'];
const UNIT = /\.(?:service|socket|target|timer|path|slice|scope|mount|automount|swap)$/;

export interface UnitFile {
  /** Within its place: `app.service`, `app.service.d/disks.conf`. */
  readonly name: string;
  /** The unit that it is of. */
  readonly unit: string;
  readonly path: string;
}

/** Units and drop-ins that are in force: neither masked, nor covered, nor another name of a unit. */
export function unitFiles(draft: Draft): UnitFile[] {
  const found = new Map<string, UnitFile>();
  for (const place of PLACES) {
    for (const name of draft.names(place)) {
      const unit = name.replace(/\.d$/, '');
      if (UNIT.test(name)) note(found, { name, unit, path: `${place}/${name}` });
      else if (UNIT.test(unit)) {
        for (const path of draft.matching(`${place}/${name}`, /\.conf$/))
          note(found, { name: path.slice(place.length + 1), unit, path });
      }
    }
  }
  return [...found.values()].filter(({ path }) => !isOtherName(draft, path));
}

function note(found: Map<string, UnitFile>, file: UnitFile): void {
  if (!found.has(file.name)) found.set(file.name, file);
}

/** A mask is a link to /dev/null, and an alias one to a unit of another name. */
function isOtherName(draft: Draft, path: string): boolean {
  return draft.target(path) !== undefined && posix.basename(draft.real(path) ?? '') !== posix.basename(path);
}

/** Whether systemd finds a unit of this name in a file. */
export function hasUnit(draft: Draft, unit: string): boolean {
  const path = PLACES.map((place) => `${place}/${unit}`).find(
    (each) => draft.target(each) !== undefined || draft.kind(each) !== undefined,
  );
  return path !== undefined && draft.real(path) !== '/dev/null';
}

/** Links by which one unit requires another: `app.service.requires/srv-data.mount`. */
export function requiringLinks(draft: Draft): UnitFile[] {
  return PLACES.flatMap((place) =>
    draft.matching(place, /\.requires$/).flatMap((folder) => {
      const unit = posix.basename(folder, '.requires');
      return draft.names(folder).map((name) => ({ name, unit, path: `${folder}/${name}` }));
    }),
  );
}
