/** Makes the bundle of a container: what the image says, what the user asked for, and what every container gets. */

import type { Image } from '../../oci/image.ts';
import { cgroupsPath } from '../cgroup/container-cgroup.ts';
import type { RunOptions } from '../options.ts';
import type { LayerRoot } from '../root-path.ts';
import { inUserNamespace } from '../rootless/user-namespace.ts';
import { seccompProfile } from '../seccomp/profile.ts';
import { type Bundle, PERSONALITY } from '../spec.ts';
import { bundleMounts } from './mounts.ts';
import { makeProcess } from './process.ts';
import { bundleResources } from './resources.ts';

/** As runc: what tells of the machine, or would let a container act on it. */
const MASKED = [
  ...['acpi', 'asound', 'interrupts', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'scsi'].map((n) => `/proc/${n}`),
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`);

/**
 * @param folder the container's own, for the files of its /etc.
 * @param layers topmost first.
 * @throws P2cError (usage) for what the image cannot do: no command, an unknown user, a volume that cannot lie there.
 */
export function makeBundle(
  id: string,
  folder: string,
  image: Image,
  layers: readonly LayerRoot[],
  options: RunOptions,
): Bundle {
  const hostname = options.hostname ?? id.slice(0, 12);
  const process = makeProcess(image, layers, options, hostname);
  return {
    ociVersion: '1.0.2',
    process,
    root: { path: 'root', readonly: options.readOnly },
    hostname,
    mounts: bundleMounts(folder, layers, options),
    annotations: options.personality.length > 0 ? { [PERSONALITY]: options.personality.join(',') } : {},
    linux: {
      namespaces: namespacesOf(options),
      // In a user namespace none can be made: this machine's are shown, see `bundleMounts`.
      devices: inUserNamespace() ? [] : options.devices.map(({ device }) => device),
      cgroupsPath: cgroupsPath(id),
      resources: bundleResources(options),
      ...(options.privileged ? {} : { seccomp: seccompProfile(process.capabilities.bounding) }),
      rootfsPropagation: 'rprivate',
      maskedPaths: options.privileged ? [] : MASKED,
      readonlyPaths: options.privileged ? [] : READ_ONLY,
    },
  };
}

function namespacesOf({ network }: RunOptions): Bundle['linux']['namespaces'] {
  return [
    { type: 'pid' },
    { type: 'mount' },
    { type: 'uts' },
    { type: 'ipc' },
    { type: 'cgroup' },
    // One that lies on networks is made, and named here, at each start.
    ...(network.networks.includes('host') ? [] : [{ type: 'network' as const }]),
  ];
}
