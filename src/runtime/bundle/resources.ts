/** The limits of a container's cgroup, as the bundle has them. */
import type { IsolationOptions, ResourceOptions } from '../options.ts';
import type { DeviceRule, Resources } from '../spec.ts';

/** Microseconds; the kernel's own default, and podman's. */
const CPU_PERIOD = 100_000;

/** Devices that every container has: null, zero, full, random, urandom, tty, console, ptmx, pts/*. */
const COMMON: readonly (readonly [major: number, minor: number | undefined])[] = [
  ...[3, 5, 7, 8, 9].map((minor) => [1, minor] as const),
  ...[0, 1, 2].map((minor) => [5, minor] as const),
  [136, undefined],
];

/** As podman: a memory limit alone allows as much swap again. */
export function bundleResources(options: ResourceOptions & IsolationOptions): Resources {
  const { memory, cpus, pidsLimit } = options;
  return {
    devices: options.privileged ? [{ allow: true, access: 'rwm' }] : deviceRules(options),
    ...(memory === undefined ? {} : { memory: { limit: memory, swap: memory * 2 } }),
    ...(cpus === undefined ? {} : { cpu: { quota: Math.round(cpus * CPU_PERIOD), period: CPU_PERIOD } }),
    ...(pidsLimit === undefined ? {} : { pids: { limit: pidsLimit } }),
  };
}

/** Nodes of any device may be made, as a package manager does, but only these opened. */
function deviceRules({ devices }: IsolationOptions): DeviceRule[] {
  return [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', access: 'm' },
    { allow: true, type: 'b', access: 'm' },
    ...COMMON.map(([major, minor]): DeviceRule => {
      return { allow: true, type: 'c', major, ...(minor === undefined ? {} : { minor }), access: 'rwm' };
    }),
    ...devices.map(({ device: { type, major, minor }, access }) => ({ allow: true, type, major, minor, access })),
  ];
}
