/** What a user asks to be mounted in a container: `-v`, `--mount`. */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { systemCode, usageError } from '../../errors.ts';
import { parseTmpfs, type Tmpfs } from '../tmpfs.ts';
import { isReserved, type Volume } from '../volume.ts';

/** A volume of the store; one without a name is made for the container alone. */
export interface NamedVolume {
  readonly name: string | undefined;
  readonly destination: string;
  readonly readOnly: boolean;
  /** Whether a new one begins with what the image has there. */
  readonly seeded: boolean;
}

export type MountWish = { readonly bind: Volume } | { readonly volume: NamedVolume } | { readonly tmpfs: Tmpfs };

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** @throws P2cError `volume.name` (usage). */
export function checkVolumeName(name: string): void {
  if (NAME.test(name)) return;
  throw usageError(`'${name}' is no name for a volume`, {
    code: 'volume.name',
    hint: 'up to 128 letters, digits, dots, dashes and underscores, the first a letter or digit',
  });
}

/**
 * `-v [SRC:]DST[:OPTIONS]`: a SRC with a slash is a folder or file of this machine, without one a volume of the store.
 * @throws P2cError `runtime.volume`, `volume.name` (usage).
 */
export function parseVolumeOption(text: string): MountWish {
  const option = `-v '${text}'`;
  const words = text.split(':');
  const [source = '', destination, options, ...more] = words.length === 1 ? [undefined, ...words] : words;
  if (destination === undefined || more.length > 0 || text.includes('\0')) {
    throw refused(option, 'it is not of the form [SRC:]DST[:ro]', '-v /srv/data:/data:ro, -v data:/data');
  }
  const readOnly = readOnlyFrom(option, options ?? 'rw');
  if (isAbsolute(source)) return { bind: bind(option, source, destination, readOnly) };
  if (source.includes('/')) throw refused(option, `'${source}' is neither absolute nor the name of a volume`);
  const name = words.length === 1 ? undefined : source;
  if (name !== undefined) checkVolumeName(name);
  return { volume: { name, destination: cleanDestination(option, destination), readOnly, seeded: true } };
}

/** Keys of `--mount` that say the same. */
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'destination',
  target: 'destination',
  readonly: 'ro',
};
const KEYS: Readonly<Record<string, readonly string[]>> = {
  bind: ['source', 'destination', 'ro'],
  volume: ['source', 'destination', 'ro', 'volume-nocopy'],
  tmpfs: ['destination', 'ro', 'tmpfs-size', 'tmpfs-mode', 'tmpcopyup', 'notmpcopyup'],
};

/**
 * `--mount type=bind|volume|tmpfs,KEY=VALUE…` as podman has it.
 * @throws P2cError `runtime.volume`, `runtime.tmpfs`, `volume.name` (usage).
 */
export function parseMountOption(text: string): MountWish {
  const option = `--mount '${text}'`;
  const given = new Map(text.split(',').map((word) => keyAndValue(word)));
  const type = given.get('type') ?? 'volume';
  const known = KEYS[type];
  if (known === undefined) throw refused(option, `the type '${type}' is not known`, 'bind, volume and tmpfs are');
  const unknown = [...given.keys()].find((key) => key !== 'type' && !known.includes(key));
  if (unknown !== undefined)
    throw refused(option, `'${unknown}' is not known for ${type}`, `known: ${known.join(', ')}`);
  const destination = given.get('destination');
  if (destination === undefined) throw refused(option, 'the destination is missing', 'add destination=/path');
  const readOnly = flag(option, 'ro', given.get('ro'));
  const source = given.get('source');
  if (type === 'tmpfs') {
    const size = given.get('tmpfs-size');
    const mode = given.get('tmpfs-mode');
    const words = [readOnly ? 'ro' : 'rw', ...(size ? [`size=${size}`] : []), ...(mode ? [`mode=${mode}`] : [])];
    const empty = flag(option, 'notmpcopyup', given.get('notmpcopyup'));
    if (empty || !flag(option, 'tmpcopyup', given.get('tmpcopyup') ?? 'true')) words.push('notmpcopyup');
    return { tmpfs: parseTmpfs(`${destination}:${words.join(',')}`) };
  }
  if (type === 'bind') {
    if (source === undefined) throw refused(option, 'the source is missing', 'add source=/path');
    if (!isAbsolute(source)) throw refused(option, `the source '${source}' is not absolute`);
    return { bind: bind(option, source, destination, readOnly) };
  }
  if (source !== undefined) checkVolumeName(source);
  const seeded = !flag(option, 'volume-nocopy', given.get('volume-nocopy'));
  return { volume: { name: source, destination: cleanDestination(option, destination), readOnly, seeded } };
}

function keyAndValue(word: string): [string, string] {
  const equals = word.indexOf('=');
  const key = equals < 0 ? word : word.slice(0, equals);
  return [ALIASES[key] ?? key, equals < 0 ? 'true' : word.slice(equals + 1)];
}

function flag(option: string, key: string, value = 'false'): boolean {
  if (['true', '1'].includes(value)) return true;
  if (['false', '0'].includes(value)) return false;
  throw refused(option, `${key} is true or false, and not '${value}'`);
}

function bind(option: string, source: string, destination: string, readOnly: boolean): Volume {
  const clean = cleanDestination(option, destination);
  try {
    const real = realpathSync(source);
    return { source: real, sourceIsDirectory: statSync(real).isDirectory(), destination: clean, readOnly };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw refused(option, `'${source}' cannot be read`, undefined, error);
    throw refused(option, `'${source}' does not exist on this machine`, `mkdir -p '${source}'`, error);
  }
}

/** podman's `z`, `Z` (SELinux labels) and the propagations are taken where they change nothing here. */
function readOnlyFrom(option: string, options: string): boolean {
  const words = options.split(',');
  const unknown = words.find((word) => !['ro', 'rw', 'z', 'Z', 'rprivate', 'private'].includes(word));
  if (unknown !== undefined) throw refused(option, `'${unknown}' is no option of a volume`, 'ro and rw are known');
  return words.includes('ro');
}

function cleanDestination(option: string, path: string): string {
  if (!isAbsolute(path)) throw refused(option, `'${path}' is not an absolute path`);
  const clean = normalize(path).replace(/(.)\/$/, '$1');
  if (clean === '/' || isReserved(clean)) throw refused(option, `a volume cannot lie on '${clean}'`);
  return clean;
}

function refused(option: string, why: string, hint?: string, cause?: unknown) {
  return usageError(`${option}: ${why}`, { code: 'runtime.volume', ...(hint === undefined ? {} : { hint }), cause });
}
