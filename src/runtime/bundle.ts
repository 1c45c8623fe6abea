/** Makes the bundle of a container: what the image says, what the user asked for, and what every container gets. */

import { P2cError, usageError } from '../errors.ts';
import type { Image } from '../oci/image.ts';
import { containerCapabilities } from './capabilities.ts';
import { commandOf } from './command-line.ts';
import { type LayerRoot, resolveInRoot } from './root-path.ts';
import { type Bundle, type ContainerProcess, type Mount, RLIM_INFINITY } from './spec.ts';
import { attainableUlimits, type Ulimit } from './ulimit.ts';
import { resolveUser } from './user.ts';
import { isReserved, type Volume } from './volume.ts';

export type Network = 'none' | 'host';

export interface RunOptions {
  readonly command: readonly string[];
  readonly entrypoint?: string | undefined;
  /** `KEY=value`. */
  readonly environment: readonly string[];
  readonly workingFolder?: string | undefined;
  readonly user?: string | undefined;
  readonly hostname?: string | undefined;
  readonly network: Network;
  /** Bytes. */
  readonly shmSize: number;
  readonly ulimits: readonly Ulimit[];
  readonly volumes: readonly Volume[];
  readonly privileged: boolean;
  readonly terminal: boolean;
}

/** Files of the container's folder that are shown in its /etc. */
export const ETC_FILES = ['hosts', 'hostname', 'resolv.conf'] as const;

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

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
  const namespaces: Bundle['linux']['namespaces'] = [
    { type: 'pid' },
    { type: 'mount' },
    { type: 'uts' },
    { type: 'ipc' },
    ...(options.network === 'none' ? [{ type: 'network' as const }] : []),
  ];
  return {
    ociVersion: '1.1.0',
    process: makeProcess(image, layers, options, hostname),
    root: { path: 'root', readonly: false },
    hostname,
    mounts: [...kernelMounts(options), ...bindMounts(folder, layers, options)],
    linux: {
      namespaces,
      maskedPaths: options.privileged ? [] : MASKED,
      readonlyPaths: options.privileged ? [] : READ_ONLY,
    },
  };
}

function makeProcess(
  image: Image,
  layers: readonly LayerRoot[],
  options: RunOptions,
  hostname: string,
): ContainerProcess {
  const execution = image.config.config ?? {};
  const user = resolveUser(layers, options.user ?? execution.User ?? '');
  const capabilities = containerCapabilities(options.privileged);
  const held = user.uid === 0 ? capabilities : [];
  const defaults = [DEFAULT_PATH, `HOSTNAME=${hostname}`, 'container=p2c', `HOME=${user.home}`];
  return {
    terminal: options.terminal,
    user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] },
    args: commandOf(image, options.entrypoint, options.command),
    env: mergeEnvironment(defaults, options.terminal ? ['TERM=xterm'] : [], execution.Env ?? [], options.environment),
    cwd: workingFolder(layers, options.workingFolder ?? execution.WorkingDir ?? '/'),
    capabilities: { bounding: capabilities, effective: held, permitted: held },
    rlimits: attainableUlimits(options.ulimits).map(({ name, soft, hard }) => ({
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: soft === 'unlimited' ? RLIM_INFINITY : soft,
      hard: hard === 'unlimited' ? RLIM_INFINITY : hard,
    })),
    // Old systems live by su and sudo.
    noNewPrivileges: false,
  };
}

/** Later lists win; what is no assignment is left out. */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const variables = new Map<string, string>();
  for (const text of lists.flat()) {
    const equals = text.indexOf('=');
    if (equals > 0 && !text.includes('\0')) variables.set(text.slice(0, equals), text);
  }
  return [...variables.values()];
}

function workingFolder(layers: readonly LayerRoot[], path: string): string {
  const folder = path === '' ? '/' : path;
  if (!folder.startsWith('/') || folder.includes('\0')) {
    throw usageError(`the working folder '${folder}' is not absolute`, { code: 'runtime.workdir' });
  }
  const found = resolveInRoot(layers, folder);
  if (found.kind === 'file') {
    throw usageError(`the working folder '${folder}' is a file in the image`, { code: 'runtime.workdir' });
  }
  return found.path;
}

/**
 * All but devpts and the nodes of /dev are `nodev`: there is no device cgroup, and a node that root in a container made
 * must not open the machine's disk.
 */
function kernelMounts({ privileged, shmSize }: RunOptions): Mount[] {
  const access = privileged ? 'rw' : 'ro';
  const nodev = privileged ? [] : ['nodev'];
  const mount = (destination: string, type: string, ...options: string[]): Mount => ({
    destination,
    type,
    source: type,
    options,
  });
  return [
    mount('/proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'nosuid', ...nodev, 'strictatime', 'mode=755', 'size=65536k'),
    mount('/dev/pts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
    mount('/dev/shm', 'tmpfs', 'nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmSize}`),
    mount('/dev/mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    mount('/sys', 'sysfs', 'nosuid', 'noexec', 'nodev', access),
  ];
}

/** Folders above before those within, so that none is covered. */
function bindMounts(folder: string, layers: readonly LayerRoot[], options: RunOptions): Mount[] {
  const nodev = options.privileged ? [] : ['nodev'];
  const volumes = options.volumes.map(({ source, destination, readOnly }) => ({
    destination: volumePlace(layers, destination),
    source,
    // What is mounted below a source would stay writable: a read-only volume shows the source's own filesystem alone.
    options: [readOnly ? 'bind' : 'rbind', readOnly ? 'ro' : 'rw', 'rprivate', ...nodev],
  }));
  const twice = volumes.find(({ destination }, at) => volumes.findIndex((v) => v.destination === destination) < at);
  if (twice !== undefined) {
    throw usageError(`two volumes lie on '${twice.destination}'`, { code: 'runtime.volume' });
  }
  const taken = new Set(volumes.map(({ destination }) => destination));
  const files = etcMounts(folder, layers).filter(({ destination }) => !taken.has(destination) && !taken.has('/etc'));
  const depth = (path: string): number => path.split('/').length;
  return [...files, ...volumes].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function volumePlace(layers: readonly LayerRoot[], destination: string): string {
  const { path } = resolveInRoot(layers, destination);
  if (path !== '/' && !isReserved(path)) return path;
  throw usageError(`a volume cannot lie on '${destination}', which is '${path}' in this image`, {
    code: 'runtime.volume',
  });
}

/** An image whose /etc, or a file of it, leads to one of the kernel's filesystems goes without. */
function etcMounts(folder: string, layers: readonly LayerRoot[]): Mount[] {
  return ETC_FILES.flatMap((name) => {
    const place = etcPlace(layers, name);
    if (place === undefined) return [];
    return [
      { destination: place, source: `${folder}/${name}`, options: ['bind', 'rw', 'rprivate', 'nosuid', 'nodev'] },
    ];
  });
}

function etcPlace(layers: readonly LayerRoot[], name: string): string | undefined {
  try {
    if (resolveInRoot(layers, '/etc').path !== '/etc') return undefined;
    const { path, kind } = resolveInRoot(layers, `/etc/${name}`);
    return kind === 'directory' || isReserved(path) || path.startsWith('/dev/') ? undefined : path;
  } catch (error) {
    if (error instanceof P2cError) return undefined;
    throw error;
  }
}
