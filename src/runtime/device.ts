/** Devices of this machine given to a container, `--device SRC[:DST][:rwm]`, as podman has it. */
import { type Stats, statSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { usageError } from '../errors.ts';
import type { Device } from './spec.ts';

/** A device that exists, and what may be done with it. */
export interface DeviceWish {
  readonly device: Device;
  /** The node on this machine. */
  readonly source: string;
  /** Of `r`, `w` and `m`. */
  readonly access: string;
}

/** @throws P2cError `runtime.device` (usage). */
export function parseDevice(text: string): DeviceWish {
  const [source = '', ...rest] = text.split(':');
  const access = /^[rwm]{1,3}$/.test(rest.at(-1) ?? '') ? (rest.pop() ?? 'rwm') : 'rwm';
  const path = normalize(rest[0] ?? source);
  if (rest.length > 1 || !isAbsolute(source) || !path.startsWith('/dev/') || text.includes('\0')) {
    throw refused(text, 'it is not of the form SRC[:DST][:rwm], with DST below /dev');
  }
  const stats = statOf(source, text);
  const type = stats.isCharacterDevice() ? 'c' : stats.isBlockDevice() ? 'b' : undefined;
  if (type === undefined) throw refused(text, `'${source}' is no device`);
  const { major, minor } = deviceNumber(stats.rdev);
  const { uid, gid } = stats;
  return { device: { path, type, major, minor, fileMode: stats.mode & 0o7777, uid, gid }, source, access };
}

/** makedev(3), as glibc packs it. */
function deviceNumber(rdev: number): { major: number; minor: number } {
  const high = Math.floor(rdev / 2 ** 32);
  return {
    major: ((rdev >>> 8) & 0xfff) | (high & ~0xfff),
    minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
  };
}

function statOf(source: string, text: string): Stats {
  try {
    return statSync(source);
  } catch (cause) {
    throw refused(text, `'${source}' is not on this machine`, cause);
  }
}

function refused(text: string, why: string, cause?: unknown) {
  return usageError(`--device '${text}': ${why}`, {
    code: 'runtime.device',
    hint: '--device /dev/fuse:/dev/fuse:rw',
    cause,
  });
}
