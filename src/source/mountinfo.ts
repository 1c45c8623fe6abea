/** The kernel's own table of mounts, in both forms a server may have. */
import { type ByteString, byteString } from '../printable.ts';

export interface MountEntry {
  /** The kernel's number of this mount, and of the one it is mounted on; -1 from `/proc/mounts`. */
  readonly id: number;
  readonly parent: number;
  readonly mountPoint: ByteString;
  /** The directory of the filesystem that is shown here; `/` for all of it. Unknown (`/`) from `/proc/mounts`. */
  readonly root: ByteString;
  /** `major:minor` of the filesystem; empty from `/proc/mounts`. */
  readonly device: string;
  readonly type: string;
  /** Device or server path, as the kernel names it. */
  readonly source: ByteString;
  readonly readOnly: boolean;
  /** The subvolume of a btrfs that `root` lies in, by the kernel's number; absent where it is not told (before Linux 4.2). */
  readonly subvolume?: string;
}

/**
 * Parses `/proc/self/mountinfo` (proc(5); Linux >= 2.6.26). Lines that are not of its form are passed over: a kernel
 * may add fields, and the separator `-` ends the optional ones.
 */
export function parseMountinfo(bytes: Uint8Array): MountEntry[] {
  const mounts: MountEntry[] = [];
  for (const line of byteString(bytes).split('\n')) {
    const fields = line.split(' ');
    const separator = fields.indexOf('-', 6);
    const [id, parent, device, root, mountPoint, options] = fields;
    const type = fields[separator + 1];
    const source = fields[separator + 2];
    if (separator < 0 || !device || !root || !mountPoint || !options || !type || source === undefined) continue;
    mounts.push({
      id: Number(id),
      parent: Number(parent),
      mountPoint: unescapeOctal(mountPoint),
      root: unescapeOctal(root),
      device,
      type: unescapeOctal(type),
      source: unescapeOctal(source),
      readOnly: options.split(',').includes('ro'),
      ...subvolumeOf(unescapeOctal(type), fields[separator + 3] ?? ''),
    });
  }
  return mounts;
}

/** From `rw,…,subvolid=257,subvol=/@/var`: the path is the last, and may hold what looks like an option. */
function subvolumeOf(type: string, superOptions: string): { subvolume?: string } {
  const id = type === 'btrfs' ? /^(?:(?!subvol=)[^,]*,)*?subvolid=(\d+)(?:,|$)/.exec(superOptions)?.[1] : undefined;
  return id === undefined ? {} : { subvolume: id };
}

/** Parses `/proc/mounts` (fstab(5)'s form), for kernels before 2.6.26. Binds cannot be told from mounts in it. */
export function parseProcMounts(bytes: Uint8Array): MountEntry[] {
  const mounts: MountEntry[] = [];
  for (const line of byteString(bytes).split('\n')) {
    const [source, mountPoint, type, options] = line.split(' ');
    if (!source || !mountPoint || !type || !options) continue;
    mounts.push({
      id: -1,
      parent: -1,
      mountPoint: unescapeOctal(mountPoint),
      root: '/' as ByteString,
      device: '',
      type: unescapeOctal(type),
      source: unescapeOctal(source),
      readOnly: options.split(',').includes('ro'),
    });
  }
  return mounts;
}

/** Space, tab, newline, backslash and `#` are written as `\040` and the like. */
export function unescapeOctal(text: string): ByteString {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  ) as ByteString;
}
