/** What an image has at a volume's place, copied: owners, modes, times, links and attributes as they are. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT, ISOLATION, isolated, OVERLAY_MARKS } from '../isolation.ts';
import type { LayerRoot } from '../root-path.ts';

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
  mount -t overlay -o "ro,nodev${OVERLAY_MARKS},lowerdir=$lower" overlay image
else
  mount --bind "$1" image
  mount -o remount,bind,ro,nodev image
fi
p2c_enter
exec cp -a --sparse=auto "/image$path/." /target/
`;

/**
 * @param layers topmost first. @param path in the image, no component of it a symbolic link.
 * @param work a folder with an empty `root` and the new volume's `data`.
 */
export async function copyFromImage(layers: readonly LayerRoot[], path: string, work: string): Promise<void> {
  const words = [work, path, ...layers.map(({ folder }) => folder)];
  await run(findProgram('unshare'), isolated(COPY, words), {
    env: HOST_ENVIRONMENT,
    cwd: '/',
    maxBuffer: 64 * 1024 * 1024,
  });
}
