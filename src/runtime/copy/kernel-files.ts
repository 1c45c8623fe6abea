/**
 * Files that the kernel makes up as they are read: /proc, /sys and the like. They have no size, or a wrong one, and no
 * archive can carry them.
 */
import { readFileSync } from 'node:fs';
import { usageError } from '../../errors.ts';

export interface Mount {
  /** As the container sees it. */
  readonly place: string;
  readonly type: string;
}

const KERNEL_TYPES: readonly string[] = [
  ...['proc', 'sysfs', 'cgroup', 'cgroup2', 'devpts', 'mqueue', 'securityfs', 'debugfs', 'tracefs', 'configfs'],
  ...['pstore', 'bpf', 'efivarfs', 'fusectl', 'binfmt_misc', 'selinuxfs', 'rpc_pipefs', 'nsfs'],
];

/** The mounts that a process sees (proc(5), mountinfo); none where it is gone. Later ones lie above earlier ones. */
export function mountsOf(pid: number): Mount[] {
  try {
    return parseMounts(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
  } catch {
    return [];
  }
}

export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const place = line.split(' ')[4];
    const type = / - ([^ ]+) /.exec(line)?.[1];
    if (place === undefined || type === undefined) return [];
    return [{ place: place.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => byteOf(octal)), type }];
  });
}

function byteOf(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** @returns the mount that has this path, where it is one of the kernel's own. */
export function kernelMountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const holds = path === mount.place || path.startsWith(below(mount.place));
    if (holds && mount.place.length >= (found?.place.length ?? 0)) found = mount;
  }
  return found !== undefined && KERNEL_TYPES.includes(found.type) ? found : undefined;
}

/** Of GNU tar, which begins in `folder`: what is in the kernel's own mounts below it is left out, and they stay as folders. */
export function excludeKernelFiles(mounts: readonly Mount[], folder: string): string[] {
  const places = mounts
    .filter(({ place }) => place.startsWith(below(folder)) && kernelMountOf(mounts, place) !== undefined)
    .map(({ place }) => place.slice(below(folder).length).replace(/[\\*?[\]]/g, '\\$&'));
  if (places.length === 0) return [];
  const patterns = [...new Set(places)].map((place) => `--exclude=./${place}/*`);
  return ['--anchored', '--wildcards', '--wildcards-match-slash', ...patterns];
}

function below(folder: string): string {
  return folder === '/' ? '/' : `${folder}/`;
}

/** @param name the container's. @param into whether it is a destination. @throws P2cError `copy.kernel` (usage). */
export function refuseKernelFile(name: string, path: string, { type }: Mount, into = false): never {
  const way = into
    ? `to write to a file that is there: p2c exec -i ${name} sh -c 'cat >${path}' <FILE`
    : `what can be read there, exec reads: p2c exec ${name} cat ${path} >FILE`;
  throw usageError(`nothing is copied: '${path}' is made up by the kernel (${type}), and no file to copy`, {
    code: 'copy.kernel',
    hint: way,
  });
}
