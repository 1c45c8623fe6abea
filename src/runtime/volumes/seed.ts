/** A new volume begins with what the image has at its place: owners, modes, times, links and attributes as they are. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { P2cError, systemCode } from '../../errors.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT, ISOLATION } from '../isolation.ts';
import { leftIn, ownedName } from '../owned-name.ts';
import { type LayerRoot, resolveInRoot } from '../root-path.ts';
import { volumeData, volumeFolder } from './volumes.ts';

const run = promisify(execFile);

/**
 * Copies in a mount namespace in which there are the image, read-only, and the volume, and nothing else. The path has no
 * symbolic link in it. Arguments: a folder with the mount point `root` and the target `data`; the path; the layers.
 */
const COPY = `${ISOLATION}
set -eu
host=
work=$1
path=$2
shift 2
p2c_root "$work/root"
mkdir image target l
mount --bind "$work/data" target
lower=
count=0
for layer in "$@"; do
  ln -s "$layer" "l/$count"
  lower=$lower\${lower:+:}l/$count
  count=$((count + 1))
done
if [ "$count" -gt 1 ]; then
  mount -t overlay -o "ro,nodev,lowerdir=$lower" overlay image
else
  mount --bind "$1" image
  mount -o remount,bind,ro,nodev image
fi
p2c_enter
exec cp -a --sparse=auto "/image$path/." /target/
`;

/**
 * Fills a volume that is empty. One that has content, or gets some from another call meanwhile, is left as it is.
 * @param layers topmost first. @param path in the image.
 * @throws P2cError `volume.seed`.
 */
export async function seedVolume(
  root: string,
  name: string,
  layers: readonly LayerRoot[],
  path: string,
): Promise<void> {
  const found = resolveInRoot(layers, path);
  if (found.kind !== 'directory' || (await readdir(volumeData(root, name))).length > 0) return;
  // What a killed call left.
  for (const left of await leftIn(volumeFolder(root, name))) await rm(left, { recursive: true, force: true });
  const work = join(volumeFolder(root, name), `.${ownedName('seed')}`);
  try {
    await mkdir(work, { mode: 0o700 });
    await mkdir(join(work, 'root'));
    await mkdir(join(work, 'data'), { mode: 0o755 });
    const words = ['--mount', '--propagation', 'private', 'sh', '-c', COPY, 'sh', work, found.path];
    await run(findProgram('unshare'), [...words, ...layers.map(({ folder }) => folder)], {
      env: HOST_ENVIRONMENT,
      cwd: '/',
      maxBuffer: 64 * 1024 * 1024,
    });
    await rename(join(work, 'data'), volumeData(root, name));
  } catch (cause) {
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(cause) ?? '')) return;
    throw new P2cError(`the volume '${name}' could not be filled with the image's '${path}'`, {
      code: 'volume.seed',
      hint: 'is there space left? --mount type=volume,volume-nocopy begins with an empty one',
      cause,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
