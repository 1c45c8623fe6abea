/** Where the store is: an OCI image layout, with p2c's own folders beside the layout's. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** `P2C_ROOT`; else `/var/lib/p2c` for root, and the XDG data folder for others. */
export function storeRoot(env: NodeJS.ProcessEnv = process.env): string {
  const set = env['P2C_ROOT'];
  if (set !== undefined && set !== '') return resolve(set);
  if (process.getuid?.() === 0) return '/var/lib/p2c';
  const data = env['XDG_DATA_HOME'];
  // A relative path there is to be ignored (XDG Base Directory Specification).
  return join(data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local/share'), 'p2c');
}
