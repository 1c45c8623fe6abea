/** Names of what is temporary: they tell whose it is, so that what the dead left is known for that. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { storeError } from '../oci/files.ts';
import { identifyProcess, ownIdentity } from './process.ts';

/** `KIND-PID-START-RANDOM`, for a file or a folder of this process. */
export function ownedName(kind: string): string {
  const { pid, startTime } = ownIdentity();
  return `${kind}-${pid}-${startTime}-${randomBytes(6).toString('hex')}`;
}

/** What processes that are gone left in a folder, whole paths; names of the form `KIND-PID-RANDOM` count too. */
export async function leftIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(isOrphan).map((name) => join(folder, name));
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
