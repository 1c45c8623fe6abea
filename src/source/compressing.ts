/** Where a file has fewer blocks than its content fills, and no holes. */
import { Holes } from '../listing/holes.ts';
import type { Filesystem } from './filesystems.ts';
import { Reach } from './reach.ts';

/**
 * Filesystems that tell as a file's blocks what is left of it once it is compressed: ZFS always (openzfs/zfs#11532), f2fs of
 * files whose saved blocks were released (Linux, Documentation/filesystems/f2fs.rst). btrfs tells those of the content.
 */
const COMPRESSING = new Set(['zfs', 'f2fs']);

export function holesOn(filesystems: readonly Filesystem[]): Holes {
  if (!filesystems.some(({ type }) => COMPRESSING.has(type))) return new Holes();
  const reach = new Reach(filesystems);
  return new Holes((path) => COMPRESSING.has(reach.at(path)?.type ?? ''));
}
