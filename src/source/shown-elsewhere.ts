/** What of a disk is taken below `/` and shown again by a mount of the whole disk: an ostree's /sysroot shows all of it. */
import { type ByteString, printablePath } from '../printable.ts';
import { type Filesystem, showsAround } from './filesystems.ts';
import { MountTree } from './mount-tree.ts';
import { pathWithin, placeIn } from './originals.ts';

export interface ShownElsewhere {
  /** Where it is shown again. */
  readonly path: ByteString;
  readonly reason: string;
}

export function shownElsewhere(filesystems: readonly Filesystem[]): ShownElsewhere[] {
  const tree = new MountTree(filesystems);
  const root = tree.at('/' as ByteString);
  const included = filesystems.filter(({ verdict }) => verdict === 'included');
  const wholes = included.filter((mount) => root !== undefined && showsAround(mount, root));
  return wholes.flatMap((whole) =>
    included.flatMap((mount) => {
      if (!showsAround(whole, mount)) return [];
      const path = placeIn(whole, mount.root);
      const there = tree.at(path);
      // Something else may be mounted in it, or on it.
      if (there === undefined || there.mountPoint !== whole.mountPoint || pathWithin(there, path) !== mount.root)
        return [];
      return [{ path, reason: `shows ${printablePath(mount.mountPoint)} again` }];
    }),
  );
}
