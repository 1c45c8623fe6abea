/**
 * The content of a volume that was captured beside its image, unpacked straight into the volume's folder. What is named in
 * its layers is checked (see warden.ts), and tar runs where there is nothing of this machine but that folder.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '../../oci/image.ts';
import type { ImageStore } from '../../oci/store.ts';
import { volumesOf } from '../../oci/volume-artifact.ts';
import { type ByteString, byteStringFromText } from '../../printable.ts';
import { ISOLATION } from '../isolation.ts';
import { LayerChecker } from '../layer-checker.ts';
import { inUserNamespace } from '../rootless/user-namespace.ts';
import { lookThrough, type StoredLayer, unpackBlob } from '../unpack-blob.ts';
import { LowerFolders, parentOf } from './lower-folders.ts';
import { VolumeWarden } from './warden.ts';

export interface VolumeContent {
  /** Where the volume is mounted in a container of the image. */
  readonly path: string;
  /** The lowest first. */
  readonly layers: readonly StoredLayer[];
}

/** Those that were captured with the image. @throws P2cError `volume.artifact`. */
export async function contentsOf(store: ImageStore, image: Image): Promise<VolumeContent[]> {
  const volumes = await volumesOf(store, image);
  return volumes.map(({ path, layers }) => ({
    path,
    layers: layers.map(({ digest, mediaType }) => ({ digest, mediaType, blobPath: store.blobPath(digest) })),
  }));
}

/**
 * The layers' names begin at the root: the folders down to the volume are made in memory, and forgotten. Several archives
 * come into one folder: were a link of one followed by the next, it would lead nowhere, for not even /proc is there.
 * Arguments: a folder with the mount point `root`, the target `data` and the list `gone`; the path.
 */
const UNPACK = `${ISOLATION}
set -eu
umask 022
host=
work=$1
path=$2
p2c_root "$work/root"
mkdir target
mount -t tmpfs -o mode=0755,size=16m,nosuid,nodev p2c target
mkdir -p "target$path"
mount --bind "$work/data" "target$path"
exec 3<"$work/gone"
p2c_enter
umount -l /proc
mount -o remount,ro /
cd /target
xargs -0 rm -rf -- <&3
exec 3<&-
exec tar --numeric-owner -p --xattrs --xattrs-include='*' -xf -
`;

/**
 * @param work a folder with an empty `root` and the new volume's `data`.
 * @throws P2cError `layer.*`, `snapshot.*`.
 */
export async function unpackContent({ path, layers }: VolumeContent, work: string): Promise<void> {
  const volume = byteStringFromText(path);
  for (const [at, layer] of layers.entries()) {
    const gone = at === 0 ? [] : await goneWith(layer, volume, join(work, 'data'));
    await writeFile(join(work, 'gone'), gone.map((name) => `.${name}\0`).join(''), 'latin1');
    await unpackBlob(layer, new LayerChecker(new VolumeWarden(volume), inUserNamespace()), {
      script: UNPACK,
      words: [work, path],
    });
  }
}

/** What a layer takes away of the lower ones. tar replaces a file by whatever comes, and a folder by nothing. */
async function goneWith(layer: StoredLayer, volume: ByteString, data: string): Promise<readonly ByteString[]> {
  const lower = new LowerFolders(volume, data);
  const warden = new VolumeWarden(volume, (path) => lower.has(path));
  await lookThrough(layer, new LayerChecker(warden));
  return warden.gone.filter((path) => lower.has(parentOf(path)));
}
