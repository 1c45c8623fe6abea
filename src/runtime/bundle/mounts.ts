/** The mounts of a bundle: the kernel's own filesystems, those in memory, volumes, and the files of /etc. */
import { P2cError, usageError } from '../../errors.ts';
import { cgroupHierarchies } from '../cgroup/hierarchy.ts';
import type { RunOptions } from '../options.ts';
import { type LayerRoot, resolveInRoot } from '../root-path.ts';
import { inUserNamespace } from '../rootless/user-namespace.ts';
import type { Mount } from '../spec.ts';
import { parseTmpfs, type Tmpfs } from '../tmpfs.ts';
import { isReserved } from '../volume.ts';

/** Files of the container's folder that are shown in its /etc. */
export const ETC_FILES = ['hosts', 'hostname', 'resolv.conf'] as const;

/** As podman: a root that is read-only has places for what every program writes, with what the image has there. */
const WRITABLE: readonly Tmpfs[] = ['/run:mode=755', '/tmp', '/var/tmp'].map(parseTmpfs);

/**
 * In the order of mounting, folders above before those within, so that none is covered.
 * @param folder the container's own, for the files of its /etc.
 * @throws P2cError `runtime.volume` (usage).
 */
export function bundleMounts(folder: string, layers: readonly LayerRoot[], options: RunOptions): Mount[] {
  const wanted = [...volumeMounts(layers, options), ...tmpfsMounts(layers, options.tmpfs), ...deviceMounts(options)];
  const taken = new Set(wanted.map(({ destination }) => destination));
  const twice = wanted.find(({ destination }, at) => wanted.findIndex((v) => v.destination === destination) < at);
  if (twice !== undefined) {
    throw usageError(`two volumes lie on '${twice.destination}'`, { code: 'runtime.volume' });
  }
  const free = ({ destination }: Mount): boolean => !taken.has(destination);
  const writable = options.readOnly ? tmpfsMounts(layers, WRITABLE).filter(free) : [];
  const files = etcMounts(folder, layers).filter((mount) => free(mount) && !taken.has('/etc'));
  const depth = ({ destination }: Mount): number => destination.split('/').length;
  return [...kernelMounts(options), ...[...files, ...writable, ...wanted].sort((a, b) => depth(a) - depth(b))];
}

function kernelMounts({ privileged, shmSize, writableCgroups }: RunOptions): Mount[] {
  const access = privileged ? 'rw' : 'ro';
  const mount = (destination: string, type: string, ...options: string[]): Mount => ({
    destination,
    type,
    source: type,
    options,
  });
  return [
    mount('/proc', 'proc', 'nosuid', 'noexec', 'nodev'),
    mount('/dev', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
    mount('/dev/pts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
    mount('/dev/shm', 'tmpfs', 'nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmSize}`),
    mount('/dev/mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
    mount('/sys', 'sysfs', 'nosuid', 'noexec', 'nodev', access),
    cgroupMount(mount, access, writableCgroups),
  ];
}

/**
 * What systemd may make groups in is its container's own part, for the container has a cgroup namespace. Beside hierarchies
 * of version 1 that of version 2 is mounted alone: every systemd that knows it goes by it.
 */
function cgroupMount(
  mount: (destination: string, type: string, ...options: string[]) => Mount,
  access: string,
  writable: RunOptions['writableCgroups'],
): Mount {
  const flags = ['nosuid', 'noexec', 'nodev', 'relatime', writable === undefined ? access : 'rw'];
  const mixed = cgroupHierarchies().some(({ version }) => version === 1);
  const type = writable === 'v2' && mixed ? 'cgroup2' : 'cgroup';
  return mount('/sys/fs/cgroup', type, ...flags);
}

function volumeMounts(layers: readonly LayerRoot[], { volumes, privileged }: RunOptions): Mount[] {
  const nodev = privileged ? [] : ['nodev'];
  return volumes.map(({ source, destination, readOnly }) => ({
    destination: placeOf(layers, destination),
    type: 'bind',
    source,
    // What is mounted below a source would stay writable: a read-only volume shows the source's own filesystem alone.
    options: [readOnly ? 'bind' : 'rbind', readOnly ? 'ro' : 'rw', 'rprivate', ...nodev],
  }));
}

function deviceMounts({ devices }: RunOptions): Mount[] {
  if (!inUserNamespace()) return [];
  return devices.map(({ device, source, access }) => ({
    destination: device.path,
    type: 'bind',
    source,
    options: ['bind', access.includes('w') ? 'rw' : 'ro', 'rprivate', 'nosuid', 'noexec'],
  }));
}

function tmpfsMounts(layers: readonly LayerRoot[], tmpfs: readonly Tmpfs[]): Mount[] {
  return tmpfs.map(({ destination, options }) => ({
    destination: placeOf(layers, destination),
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...options],
  }));
}

function placeOf(layers: readonly LayerRoot[], destination: string): string {
  const { path } = resolveInRoot(layers, destination);
  if (path !== '/' && !isReserved(path)) return path;
  throw usageError(`a volume cannot lie on '${destination}', which is '${path}' in this image`, {
    code: 'runtime.volume',
  });
}

/** An image whose /etc, or a file of it, leads to one of the kernel's filesystems goes without. */
function etcMounts(folder: string, layers: readonly LayerRoot[]): Mount[] {
  return ETC_FILES.flatMap((name) => {
    const destination = etcPlace(layers, name);
    if (destination === undefined) return [];
    const options = ['bind', 'rw', 'rprivate', 'nosuid', 'nodev'];
    return [{ destination, type: 'bind', source: `${folder}/${name}`, options }];
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
