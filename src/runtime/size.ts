/** Sizes as podman's options take them: `64m`, `1g`, `512`. */
import { usageError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/**
 * @param option as typed, for the message: `--shm-size`.
 * @returns bytes, more than none.
 * @throws P2cError `runtime.size` (usage).
 */
export function parseSize(option: string, text: string): number {
  const found = /^([0-9]{1,15})(?:([bkmgt])(?:i?b)?)?$/i.exec(text);
  const unit = UNITS[(found?.[2] ?? '').toLowerCase()];
  const bytes = found === null || unit === undefined ? Number.NaN : Number(found[1]) * unit;
  if (!Number.isSafeInteger(bytes) || bytes <= 0) {
    throw usageError(`${option} '${text}' is no size`, {
      code: 'runtime.size',
      hint: 'a whole number above zero with an optional b, k, m, g or t: 64m, 1g',
    });
  }
  return bytes;
}
