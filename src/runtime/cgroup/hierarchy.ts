/**
 * The hierarchies of cgroups that this machine has mounted: one for all controllers (v2), one for each (v1), or both side
 * by side (hybrid). See cgroups(7).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Hierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted. */
  readonly folder: string;
  /** `memory`, `cpu`…; of v1's own that has none, its name: `name=systemd`. */
  readonly controllers: readonly string[];
}

/** The options of a mount of v1 that name no controller. */
const OTHER = ['rw', 'ro', 'none', 'noprefix', 'xattr', 'clone_children', 'cpuset_v2_mode', 'favordynmods'];

/** @param mountinfo the text of `/proc/self/mountinfo`. */
export function parseHierarchies(mountinfo: string, controllersOf: (folder: string) => readonly string[]): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const folder = (before.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') {
      found.set('', { version: 2, folder, controllers: controllersOf(folder) });
    } else if (type === 'cgroup') {
      const controllers = options
        .split(',')
        .filter((word) => !OTHER.includes(word) && !word.startsWith('release_agent='));
      // The first mount of several counts.
      if (controllers.length > 0 && !found.has(options)) found.set(options, { version: 1, folder, controllers });
    }
  }
  return [...found.values()];
}

/** Those of this machine. */
export function cgroupHierarchies(): Hierarchy[] {
  return parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'), (folder) => {
    return readFileSync(join(folder, 'cgroup.controllers'), 'latin1')
      .split(/\s+/)
      .filter((name) => name !== '');
  });
}
