/** How this machine's cgroups are mounted, from its table of mounts (proc(5), cgroups(7)). */

export interface Cgroups {
  readonly mode: 'v1' | 'v2' | 'hybrid' | 'none';
  /** Sorted; of v1 those that are mounted, of v2 those that the top of the tree offers. */
  readonly controllers: readonly string[];
  /** True where a v1 hierarchy `name=systemd` is mounted: systemd before 230 boots with nothing else. */
  readonly systemdHierarchy: boolean;
}

const V1_CONTROLLERS = new Set(
  'cpu cpuacct cpuset memory devices freezer blkio pids net_cls net_prio perf_event hugetlb rdma misc debug'.split(' '),
);

/**
 * @param mountinfo the text of /proc/self/mountinfo.
 * @param unified the text of `cgroup.controllers` at the top of the v2 tree; empty where there is none.
 */
export function readCgroups(mountinfo: string, unified: string): Cgroups {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [, after] = line.split(' - ');
    const [type, , options = ''] = (after ?? '').split(' ');
    return type === 'cgroup' || type === 'cgroup2' ? [{ type, options: options.split(',') }] : [];
  });
  const old = mounts.filter(({ type }) => type === 'cgroup').flatMap(({ options }) => options);
  const oldControllers = old.filter((option) => V1_CONTROLLERS.has(option));
  const isUnified = mounts.some(({ type }) => type === 'cgroup2');
  const controllers = new Set([...oldControllers, ...unified.split(/\s+/).filter((word) => word !== '')]);
  return {
    mode: isUnified ? (oldControllers.length > 0 ? 'hybrid' : 'v2') : old.length > 0 ? 'v1' : 'none',
    controllers: [...controllers].sort(),
    systemdHierarchy: old.includes('name=systemd'),
  };
}

/** The mount point of the v2 tree. */
export function unifiedRoot(mountinfo: string): string | undefined {
  const line = mountinfo.split('\n').find((each) => each.includes(' - cgroup2 '));
  return line?.split(' ')[4];
}
