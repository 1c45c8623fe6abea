/** What of a store's containers is seen on this machine, beside the files of the store; others run on it too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { containerCgroups } from '../../src/runtime/cgroup/container-cgroup.ts';
import { runFolder } from '../../src/runtime/network/run-folder.ts';

export interface Traces {
  /** Processes in whose mount namespace something of the store is mounted. */
  readonly namespaces: string[];
  readonly cgroups: string[];
  /** Network namespaces, leases and bridges of the store. */
  readonly networks: string[];
}

/** @param ids whole IDs of containers that were. */
export function tracesOf(root: string, ids: Iterable<string>): Traces {
  const mentioned = (path: string): boolean => {
    try {
      return readFileSync(path, 'utf8').includes(`${root}/`);
    } catch {
      return false;
    }
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return {
    namespaces: pids.filter((pid) => mentioned(`/proc/${pid}/mountinfo`)),
    cgroups: [...ids].flatMap((id) => containerCgroups(id).flatMap(({ path }) => (existsSync(path) ? [path] : []))),
    networks: networksOf(root),
  };
}

export const NO_TRACES: Traces = { namespaces: [], cgroups: [], networks: [] };

/** The lock and the last address of each network are no leases. */
function networksOf(root: string): string[] {
  const folder = dirname(runFolder(root).leases);
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'lock' && !entry.name.startsWith('last_reserved_ip'))
    .map(({ parentPath, name }) => join(parentPath, name));
}
