/** Writing so that nothing half-made is ever visible: a temporary file, fsync, rename, fsync of the folder. */
import { randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { P2cError, systemCode } from '../errors.ts';

/** A name that tells whose temporary this is, so that those of dead processes can be removed. */
export function temporaryName(kind: string): string {
  return `${kind}-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/**
 * Makes a folder and those above it that are missing. (Node's own `recursive` never ends where a folder is there and takes
 * no new ones, as /proc is.)
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' && (await isFolder(path))) return;
    if (code !== 'ENOENT') throw error;
    // Where it is there now, another made it meanwhile, or it takes no new ones.
    if (!(await isFolder(dirname(path)))) await makeFolder(dirname(path));
    await makeLast(path, mode);
  }
}

async function makeLast(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Replaces `file` as a whole. `temporary` is a folder on the same filesystem. */
export async function replaceFile(file: string, text: string, temporary: string): Promise<void> {
  const path = join(temporary, temporaryName('file'));
  try {
    const handle = await open(path, 'wx', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(path, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(path, { force: true });
    throw storeError(error, file);
  }
}

/** @returns the names in a folder; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw storeError(error, folder);
  }
}

/** Makes a rename last over a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Words what the filesystem says of a file that a person named, and that is none of the store's. */
export function fileError(error: unknown, file: string): unknown {
  const code = systemCode(error);
  if (error instanceof P2cError || code === undefined) return error;
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such folder',
    ENOTDIR: 'what it lies in is no folder',
    EISDIR: 'it is a folder',
    EACCES: 'it may not be written',
    EPERM: 'it may not be written',
    EROFS: 'its filesystem is read-only',
    ENOSPC: 'no space is left there',
    EDQUOT: 'no space is left there',
  };
  return new P2cError(`${file} cannot be written: ${why[code] ?? code}`, {
    code: 'file.write',
    hint: 'name a file in a folder that is there and that you may write to',
    cause: error,
  });
}

/** Words what the filesystem under the store says. */
export function storeError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (error instanceof P2cError || code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new P2cError(`no space is left for ${path}${freeAt(path)}`, {
      code: 'store.full',
      hint: "free some space, remove images with 'p2c image rm', or set P2C_ROOT to a larger filesystem",
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new P2cError(`${path} cannot be written (${code})`, {
      code: 'store.denied',
      hint: 'run p2c as the owner of the store, or set P2C_ROOT to a folder of your own',
      cause: error,
    });
  }
  return new P2cError(`the store failed at ${path} (${code})`, { code: 'store.failed', cause: error });
}

/** With a quota there may be bytes free that are not for us. */
function freeAt(path: string): string {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return ` (${bavail * bsize} bytes are free on its filesystem)`;
  } catch {
    return '';
  }
}
