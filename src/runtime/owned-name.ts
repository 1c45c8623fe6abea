/** Names of what is temporary: they tell whose it is, so that what the dead left is known for that. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { storeError } from '../oci/files.ts';
import { identifyProcess, ownIdentity } from './process.ts';

/** `KIND-PID-START-RANDOM`, for a file or a folder of this process. */
export function ownedName(kind: string): string {
  const { pid, startTime } = ownIdentity();
  return `${kind}-${pid}-${startTime}-${randomBytes(6).toString('hex')}`;
}

/** What p2c's names begin with where others have temporary files too. */
export const TEMPORARY = 'p2c-';

/** A folder of this process's own among the machine's temporary files. */
export async function makeTemporary(kind: string): Promise<string> {
  const path = join(tmpdir(), `${TEMPORARY}${ownedName(kind)}`);
  await mkdir(path, { mode: 0o700 });
  return path;
}

/**
 * What processes that are gone left in a folder, whole paths; names of the form `KIND-PID-RANDOM` count too.
 * @param prefix before the kind.
 */
export async function leftIn(folder: string, prefix = ''): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
    return names.filter((name) => isOrphan(name.slice(prefix.length))).map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw storeError(error, folder);
  }
}

function isOrphan(name: string): boolean {
  const [, pid, startTime] = /^\.?[a-z0-9]+-([0-9]+)-(?:([0-9]+)-)?[0-9A-Za-z]+$/.exec(name) ?? [];
  if (pid === undefined) return false;
  const owner = identifyProcess(Number(pid));
  return owner === undefined || (startTime !== undefined && owner.startTime !== startTime);
}
