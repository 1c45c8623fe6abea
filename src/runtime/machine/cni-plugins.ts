/** The CNI plugins of this machine: they make the networks of containers. */
import { readdirSync } from 'node:fs';

/** Debian's place, and the one that the CNI project's own archives and podman use. */
const FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni', '/usr/local/lib/cni'];
/** What p2c's networks call. */
const NEEDED = ['bridge', 'macvlan', 'host-local', 'portmap', 'firewall', 'loopback'];

export interface CniPlugins {
  /** Null where no folder has any. */
  readonly folder: string | null;
  readonly found: readonly string[];
  readonly missing: readonly string[];
}

/** The first of the folders that has one of the plugins. */
export function findCniPlugins(folders: readonly string[] = FOLDERS): CniPlugins {
  for (const folder of folders) {
    const found = filesOf(folder).filter((name) => NEEDED.includes(name));
    if (found.length > 0) return { folder, found, missing: NEEDED.filter((name) => !found.includes(name)) };
  }
  return { folder: null, found: [], missing: NEEDED };
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
