/** Finds in an image what is to be held back, for whichever init it has. */
import { closeSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { P2cError, systemCode } from '../../errors.ts';
import { type LayerRoot, namesInRoot, resolveInRoot } from '../root-path.ts';
import { type Hold, kindOf } from './hold.ts';

/** Debian; Red Hat; SUSE. */
const RC_FOLDERS = ['/etc', '/etc/rc.d', '/etc/init.d'];
const LEVELS = ['S', '1', '2', '3', '4', '5'];
const UPSTART = '/etc/init';
/** systemd.unit(5): where an administrator's, and where a distribution's units lie. */
const UNIT_FOLDERS = ['/etc/systemd/system', '/lib/systemd/system', '/usr/lib/systemd/system'];
const SYSTEMD = ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'];
const DROP_IN = 'p2c-quarantine.conf';
/** A condition that nothing meets (systemd.unit(5)): the unit is passed over, and whatever waits for it goes on. */
const NEVER = '# p2c release takes this file away.\n[Unit]\nConditionPathExists=/p2c-released-from-quarantine\n';
/** @param layers topmost first. */
export function findHolds(layers: readonly LayerRoot[]): Hold[] {
  return [...startLinks(layers), ...upstartJobs(layers), ...units(layers)];
}

function startLinks(layers: readonly LayerRoot[]): Hold[] {
  const found = new Map<string, Hold>();
  const seen = new Set<string>();
  for (const folder of RC_FOLDERS.flatMap((base) => LEVELS.map((level) => `${base}/rc${level}.d`))) {
    for (const name of namesIn(layers, folder)) {
      const service = /^S\d\d(.+)$/.exec(name)?.[1] ?? '';
      const kind = kindOf(service);
      const change = kind === undefined ? undefined : hiding(layers, folder, name);
      if (kind === undefined || change === undefined || seen.has(change.path)) continue;
      seen.add(change.path);
      const hold = found.get(service) ?? { kind, name: service, init: 'sysv', changes: [] };
      found.set(service, { ...hold, changes: [...hold.changes, change] });
    }
  }
  return [...found.values()];
}

/** A link is taken away, and a file, which is as good to an init, renamed. Undefined for what is neither. */
function hiding(layers: readonly LayerRoot[], folder: string, name: string): Hold['changes'][number] | undefined {
  const path = join(resolveInRoot(layers, folder).path, name);
  const hostPath = layers.map((layer) => join(layer.folder, path)).find((place) => isThere(place));
  const stats = hostPath === undefined ? undefined : lstatSync(hostPath);
  if (hostPath !== undefined && stats?.isSymbolicLink()) return { how: 'unlink', path, target: readlinkSync(hostPath) };
  return stats?.isFile() ? renaming(path) : undefined;
}

/** rc(8) starts `S*`, and upstart `*.conf` (init(5)). */
function renaming(path: string): Hold['changes'][number] {
  return { how: 'rename', path, to: join(dirname(path), `.${basename(path)}.p2c-held`) };
}

/** Without following it. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // A layer that has a file where others have a folder.
    if (systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** The job itself, and no override of it: upstart before 1.3 reads none, and the server may have one of its own. */
function upstartJobs(layers: readonly LayerRoot[]): Hold[] {
  return namesIn(layers, UPSTART).flatMap((file) => {
    const name = /^(.+)\.conf$/.exec(file)?.[1] ?? '';
    const kind = kindOf(name);
    const change = kind === undefined ? undefined : hiding(layers, UPSTART, file);
    if (kind === undefined || change === undefined) return [];
    const text = [file, `${name}.override`].map((each) => textAt(layers, `${UPSTART}/${each}`)).join('\n');
    return [{ kind, name, init: 'upstart', changes: [change], starts: startsByItself(text) }];
  });
}

/** init(5) of upstart: the last stanza counts, and those of an override come after the job's own. */
function startsByItself(text: string): boolean {
  const last = [...text.matchAll(/^[ \t]*(start[ \t]+on|manual)\b/gm)].at(-1)?.[1];
  return last !== undefined && last !== 'manual';
}

function units(layers: readonly LayerRoot[]): Hold[] {
  // Packages bring units also where nothing reads them.
  if (!SYSTEMD.some((path) => isFile(layers, path))) return [];
  const names = new Set(UNIT_FOLDERS.flatMap((folder) => namesIn(layers, folder)));
  return [...names].sort().flatMap((unit) => {
    const [, name = '', type = ''] = /^([^/]+)\.(service|socket|path|timer)$/.exec(unit) ?? [];
    const kind = type === 'timer' ? 'timers' : kindOf(name);
    if (kind === undefined) return [];
    const { path } = resolveInRoot(layers, `/etc/systemd/system/${unit}.d/${DROP_IN}`);
    return [{ kind, name: unit, init: 'systemd', changes: [{ how: 'add', path, text: NEVER }] }];
  });
}

function isFile(layers: readonly LayerRoot[], path: string): boolean {
  try {
    return resolveInRoot(layers, path).kind === 'file';
  } catch (error) {
    if (error instanceof P2cError) return false;
    throw error;
  }
}

/** Jobs are written by hand: what is longer is none. */
const LONGEST_JOB = 64 * 1024;

/** The beginning of a file; nothing where there is none. */
function textAt(layers: readonly LayerRoot[], path: string): string {
  const place = isFile(layers, path) ? resolveInRoot(layers, path).hostPath : undefined;
  if (place === undefined || !lstatSync(place).isFile()) return '';
  const fd = openSync(place, 'r');
  try {
    const bytes = Buffer.alloc(LONGEST_JOB);
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, LONGEST_JOB, 0));
  } finally {
    closeSync(fd);
  }
}

/** What an image has no readable folder for, it starts nothing from. */
function namesIn(layers: readonly LayerRoot[], folder: string): string[] {
  try {
    return namesInRoot(layers, folder);
  } catch (error) {
    if (error instanceof P2cError) return [];
    throw error;
  }
}
