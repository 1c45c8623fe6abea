/** Where the store is: an OCI image layout, with p2c's own folders beside the layout's. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { systemCode, usageError } from '../errors.ts';

/**
 * `P2C_ROOT`; else `/var/lib/p2c` for root, and the XDG data folder for others. It need not be there yet.
 * @throws P2cError `store.place` where no folder can ever be.
 */
export function storeRoot(env: NodeJS.ProcessEnv = process.env): string {
  const root = chosenRoot(env);
  if (isNoFolder(root)) {
    throw usageError(`${root}, or a part of that path, is no folder`, {
      code: 'store.place',
      hint: 'set P2C_ROOT to a folder, or to a path where one can be made',
    });
  }
  return root;
}

function isNoFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch (error) {
    return systemCode(error) === 'ENOTDIR';
  }
}

function chosenRoot(env: NodeJS.ProcessEnv): string {
  const set = env['P2C_ROOT'];
  if (set !== undefined && set !== '') return resolve(set);
  if (process.getuid?.() === 0) return '/var/lib/p2c';
  const data = env['XDG_DATA_HOME'];
  // A relative path there is to be ignored (XDG Base Directory Specification).
  return join(data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local/share'), 'p2c');
}
