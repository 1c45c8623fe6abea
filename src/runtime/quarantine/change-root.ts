/**
 * Changes a container that does not run: its overlay is mounted in a namespace where this machine is not to be seen, and
 * the kernel itself writes what is hidden and copies what is changed.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { P2cError } from '../../errors.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT, ISOLATION, isolated, LINK_LAYERS, OVERLAY_MARKS } from '../isolation.ts';
import type { LayerRoot } from '../root-path.ts';

const run = promisify(execFile);

/** Arguments: the mount point; the folder with `upper` and `work`; layers; `--`; operations. */
const CHANGE = `${ISOLATION}
set -eu
umask 022
host=
p2c_root "$1"
mkdir c l
ln -s "$2/upper" upper
ln -s "$2/work" work
shift 2
lower=
${LINK_LAYERS}mount -t overlay -o "rw${OVERLAY_MARKS},lowerdir=$lower,upperdir=upper,workdir=work" overlay c
p2c_enter
mount -o remount,ro /
while [ $# -gt 0 ]; do
  case $1 in
    remove)
      rm -f "c$2"
      rmdir "c\${2%/*}" 2>/dev/null || :
      shift 2 ;;
    unlink)
      rm -f "c$2"
      shift 2 ;;
    write)
      mkdir -p "c\${2%/*}"
      printf %s "$3" >"c$2"
      shift 3 ;;
    rename)
      if [ -e "c$2" ] || [ -L "c$2" ]; then mv -f "c$2" "c$3"; fi
      shift 3 ;;
    link)
      ln -sf "$3" "c$2"
      shift 3 ;;
  esac
done
`;

export type RootChange =
  | readonly ['unlink' | 'remove', path: string]
  | readonly ['write', path: string, text: string]
  | readonly ['link', path: string, target: string]
  | readonly ['rename', path: string, to: string];

/**
 * @param folder the container's.
 * @param changes paths as `resolveInRoot` gives them; `remove` takes the folder too where nothing else is in it, and
 * `rename` is done already where nothing lies at the path.
 * @throws P2cError `quarantine.change`.
 */
export async function changeRoot(
  folder: string,
  layers: readonly LayerRoot[],
  changes: readonly RootChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const root = join(folder, 'root');
  await mkdir(root, { recursive: true });
  const words = [root, folder, ...layers.map((layer) => layer.folder), '--', ...changes.flat()];
  await run(findProgram('unshare'), isolated(CHANGE, words), { env: HOST_ENVIRONMENT, cwd: '/' }).catch(
    (cause: unknown) => {
      throw new P2cError('the files that hold the container’s services back could not be written', {
        code: 'quarantine.change',
        cause,
      });
    },
  );
}
