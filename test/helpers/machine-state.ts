/** What of a store's containers is seen on this machine, beside the files of the store; others run on it too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Traces {
  /** Processes in whose mount namespace something of the store is mounted. */
  readonly namespaces: string[];
  readonly cgroups: string[];
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
    cgroups: [...ids].flatMap((id) => cgroupsOf(id)),
    networks: existsSync('/run/netns')
      ? readdirSync('/run/netns').filter((name) => [...ids].some((id) => name.includes(id)))
      : [],
  };
}

export const NO_TRACES: Traces = { namespaces: [], cgroups: [], networks: [] };

function cgroupsOf(id: string): string[] {
  const folders = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))];
  return folders.map((folder) => join(folder, 'p2c', id)).filter((path) => existsSync(path));
}
