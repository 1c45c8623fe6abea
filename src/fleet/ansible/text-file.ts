/** Text of an inventory's files, bounded: they may come from strangers. */
import { readFileSync, statSync } from 'node:fs';
import { systemCode, usageError } from '../../errors.ts';

/** Ten thousand hosts with a dozen variables each. */
const MAX_BYTES = 16 * 1024 * 1024;

/** @throws P2cError `inventory.missing`, `inventory.unreadable`. */
export function readInventoryText(file: string): string {
  let bytes: Buffer;
  try {
    const { size } = statSync(file);
    if (size > MAX_BYTES) {
      throw usageError(`the inventory ${file} is larger than ${MAX_BYTES / 1024 ** 2} MiB`, {
        code: 'inventory.invalid',
      });
    }
    bytes = readFileSync(file);
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    const missing = systemCode(cause) === 'ENOENT';
    throw usageError(missing ? `there is no inventory ${file}` : `cannot read the inventory ${file}`, {
      code: missing ? 'inventory.missing' : 'inventory.unreadable',
      cause,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw usageError(`the inventory ${file} is not UTF-8 text`, { code: 'inventory.invalid', cause });
  }
}
