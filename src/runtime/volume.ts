/** Volumes: a folder or file of this machine shown in a container, `-v SRC:DST[:ro]`. */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { systemCode, usageError } from '../errors.ts';

export interface Volume {
  /** Absolute, symbolic links resolved. */
  readonly source: string;
  readonly sourceIsDirectory: boolean;
  /** Absolute path in the container, as written there: links in it are resolved against the image later. */
  readonly destination: string;
  readonly readOnly: boolean;
}

/** Where p2c mounts the kernel's own filesystems: a volume there would undo what keeps a container apart. */
const RESERVED = /^\/(?:proc|sys|dev|dev\/pts|dev\/mqueue)$|^\/(?:proc|sys)\//;

/** @param path clean and absolute. */
export function isReserved(path: string): boolean {
  return RESERVED.test(path);
}

/**
 * @throws P2cError `runtime.volume` (usage): not of the form, a missing source, a destination that cannot be.
 */
export function parseVolume(text: string): Volume {
  const [source = '', destination = '', options, ...more] = text.split(':');
  if (more.length > 0 || !isAbsolute(source) || !isAbsolute(destination) || text.includes('\0')) {
    throw refused(text, 'it is not of the form SRC:DST[:ro] with absolute paths', '-v /srv/data:/data:ro');
  }
  const readOnly = readOnlyFrom(text, options ?? 'rw');
  const clean = cleanDestination(destination);
  if (clean === '/' || isReserved(clean)) throw refused(text, `a volume cannot lie on '${clean}'`);
  try {
    const real = realpathSync(source);
    return { source: real, sourceIsDirectory: statSync(real).isDirectory(), destination: clean, readOnly };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw refused(text, `'${source}' cannot be read`, undefined, error);
    throw refused(text, `'${source}' does not exist on this machine`, `mkdir -p '${source}'`, error);
  }
}

function readOnlyFrom(text: string, options: string): boolean {
  const words = options.split(',');
  const unknown = words.find((word) => word !== 'ro' && word !== 'rw');
  if (unknown !== undefined) throw refused(text, `'${unknown}' is no option of a volume`, 'ro and rw are known');
  return words.includes('ro');
}

function cleanDestination(path: string): string {
  const clean = normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function refused(text: string, why: string, hint?: string, cause?: unknown) {
  return usageError(`-v '${text}': ${why}`, { code: 'runtime.volume', ...(hint === undefined ? {} : { hint }), cause });
}
