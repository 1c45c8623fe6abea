/**
 * A look at a container's files from outside: its root and its volumes in a mount namespace of their own, in which tar
 * runs. No program of the image runs, and no link in it leads out: there is nothing else to be reached.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { P2cError } from '../../errors.ts';
import { type Container, readBundle } from '../container.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT, ISOLATION, isolated, LINK_LAYERS, OVERLAY_MARKS } from '../isolation.ts';
import { placeOf } from '../place.ts';
import type { Resolved } from '../root-path.ts';
import { resolveInRoot } from '../root-path.ts';
import { WALK } from '../walk.ts';

/** The messages of tar that are kept. */
const MAX_MESSAGES = 8192;

export const SAID_NOTHING = 'it said nothing';

/**
 * Arguments: the container's folder; `ro` or `rw`; layers, the topmost first; `--`; sources of volumes; `--`; their
 * places; `--`; tar and its arguments, which see the container at /c. Read only, the container's own changes are one more
 * layer: it may be running. Its links are not followed before this machine is out of reach, nor are volumes moved to their
 * places. /proc is gone before tar runs: through a link to it this machine could be reached.
 */
const VIEW = `${ISOLATION}${WALK}
set -eu
host=
folder=$1
how=$2
shift 2
p2c_root "$folder/root"
mkdir c l v
lower=
if [ "$how" = ro ]; then
  ln -s "$folder/upper" l/u
  lower=l/u
fi
${LINK_LAYERS}ln -s "$folder/upper" upper
ln -s "$folder/work" work
if [ "$how" = ro ]; then
  mount -t overlay -o "ro,nodev${OVERLAY_MARKS},lowerdir=$lower" overlay c
else
  mount -t overlay -o "nodev${OVERLAY_MARKS},lowerdir=$lower,upperdir=upper,workdir=work" overlay c
fi
count=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then
    mkdir "v/$count"
    mount --bind "$1" "v/$count"
    p2c_remount "nodev,$how" "v/$count"
  fi
  count=$((count + 1))
  shift
done
shift
rm upper work
p2c_enter
count=0
wanted=there
[ "$how" = ro ] || wanted=folder
while [ "$1" != -- ]; do
  if [ -d "/v/$count" ] && p2c_go "$wanted" "$1" && [ "$PWD" != /c ]; then mount -c --move "/v/$count" .; fi
  count=$((count + 1))
  shift
done
shift
cd /
umount -l /proc
mount -o remount,ro /
exec "$@"
`;

/**
 * @param how `ro` also where it runs; `rw` where it does not.
 * @param words tar and its arguments.
 */
export async function startInView(
  container: Container,
  how: 'ro' | 'rw',
  words: readonly string[],
): Promise<{ input: Writable; output: Readable; ended: Promise<void> }> {
  const { layers } = await placeOf(container);
  const volumes = await volumesOf(container);
  const sources = volumes.map(({ source }) => source);
  const places = volumes.map(({ destination }) => destination);
  const lower = layers.map(({ folder }) => folder);
  const arguments_ = [container.folder, how, ...lower, '--', ...sources, '--', ...places, '--', ...words];
  const child = spawn(findProgram('unshare'), isolated(VIEW, arguments_), {
    env: HOST_ENVIRONMENT,
    cwd: '/',
    stdio: 'pipe',
  });
  child.stdin.on('error', () => {});
  return { input: child.stdin, output: child.stdout, ended: endOf(child, 'tar') };
}

/** @throws P2cError `copy.tar` where it fails. */
export function endOf(child: ReturnType<typeof spawn>, name: string): Promise<void> {
  let messages = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (messages.length < MAX_MESSAGES) messages += text;
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      if (code === 0) resolve();
      else {
        const cause = new Error(messages.trim() || SAID_NOTHING);
        reject(new P2cError(`${name} ended with exit code ${code}`, { code: 'copy.tar', cause }));
      }
    });
  });
  ended.catch(() => {});
  return ended;
}

/** Folders that are mounted in the container, the files of its /etc aside. */
async function volumesOf({ folder }: Container): Promise<{ source: string; destination: string }[]> {
  const { mounts } = await readBundle(folder);
  return mounts.filter(({ type, source }) => type === 'bind' && !source.startsWith(`${folder}/`));
}

/** A path as the container sees it, volumes included; within one, links are read as if it were the root. */
export async function resolveInContainer(container: Container, path: string): Promise<Resolved> {
  const { layers } = await placeOf(container);
  const root = [{ folder: join(container.folder, 'upper'), opaque: new Set<string>() }, ...layers];
  const found = resolveInRoot(root, path);
  const volume = (await volumesOf(container))
    .map(({ source, destination }) => ({ source, destination: resolveInRoot(root, destination).path }))
    .filter(({ destination }) => found.path === destination || found.path.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0];
  if (volume === undefined) return found;
  const rest = found.path.slice(volume.destination.length);
  const inside = resolveInRoot([{ folder: volume.source, opaque: new Set() }], rest === '' ? '/' : rest);
  return { ...inside, path: inside.path === '/' ? volume.destination : `${volume.destination}${inside.path}` };
}
