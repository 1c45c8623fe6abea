/**
 * A running container's files as it sees them itself: its mounts are there, also those in memory. This machine's tar
 * reads, from a place where nothing of this machine but its programs is to be reached; no program of the image runs.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { P2cError } from '../../errors.ts';
import { type Container, readState } from '../container.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT, ISOLATION, isolated } from '../isolation.ts';
import { isAlive, type ProcessIdentity } from '../process.ts';
import { type Resolved, resolveInRoot } from '../root-path.ts';
import { kernelMountOf, mountsOf, refuseKernelFile } from './kernel-files.ts';
import { endOf } from './view.ts';

/**
 * Arguments: a folder for the mount; the container's PID 1 and its start time; the folder in the container where tar
 * begins; tar and its arguments.
 *
 * The kernel finds the way below `/proc/PID/root`, through mounts that no other namespace has. A container at work may
 * have put a link in the way meanwhile, so tar begins only where it turns out to lie on a mount of the container. What
 * is below, it opens without following links.
 */
const LIVE = `${ISOLATION}
set -euf
host=
field() {
  shift 19
  echo "$1"
}
refuse() {
  echo "$1" >&2
  exit 1
}
pid=$2
begun=$3
folder=$4
p2c_root "$1"
shift 4
p2c_enter
# From here on that process is meant, and none that has its number later.
cd "/proc/$pid"
read -r stat <stat
[ "$(field \${stat##*) })" = "$begun" ] || refuse 'the container ended just now'
exec 4<mountinfo
cd -P "root$folder"
exec 3<.
on=
while read -r key value; do
  if [ "$key" = mnt_id: ]; then on=$value; fi
done </proc/self/fdinfo/3
own=
while read -r id rest; do
  if [ "$id" = "$on" ]; then own=yes; fi
done <&4
[ -n "$own" ] || refuse "a link led out of the container on the way to '$folder'"
exec 3<&- 4<&-
umount -l /proc
mount -o remount,ro /
exec "$@"
`;

/** @returns its PID 1; undefined where it does not run, and nothing is mounted in it. */
export async function runningInit({ folder }: Container): Promise<ProcessIdentity | undefined> {
  const { status, init } = await readState(folder);
  return status === 'running' ? init : undefined;
}

/** A path as the running container sees it. @throws P2cError `runtime.path`; `copy.kernel` in /proc and the like. */
export function resolveLive({ definition }: Container, { pid }: ProcessIdentity, path: string): Resolved {
  try {
    return resolveInRoot([{ folder: `/proc/${pid}/root`, opaque: new Set() }], path);
  } catch (error) {
    // Links there mean something to a process of the container only.
    const mount = kernelMountOf(mountsOf(pid), path);
    if (mount !== undefined) refuseKernelFile(definition.name, path, mount);
    throw error;
  }
}

/** @param folder in the container, as it was resolved. @param words tar and its arguments. */
export function startLive(
  { folder: own }: Container,
  init: ProcessIdentity,
  folder: string,
  words: readonly string[],
): { output: Readable; ended: Promise<void> } {
  const arguments_ = [`${own}/root`, String(init.pid), init.startTime, folder, ...words];
  const child = spawn(findProgram('unshare'), isolated(LIVE, arguments_, true), {
    env: HOST_ENVIRONMENT,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = unlessItEnded(init, endOf(child, 'tar'));
  ended.catch(() => {});
  return { output: child.stdout, ended };
}

/** With its last process the mounts of a container are gone, and folders look empty to who still reads. */
async function unlessItEnded(init: ProcessIdentity, work: Promise<void>): Promise<void> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isAlive(init)) {
    throw new P2cError('the container ended while it was copied from', {
      code: 'copy.ended',
      hint: "what was copied is not whole; 'p2c cp' also copies from one that does not run",
      cause: failure,
    });
  }
  if (failure !== undefined) throw failure;
}
