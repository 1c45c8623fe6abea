/** What stands between p2c and an OCI runtime: constant POSIX sh. Both scripts speak on descriptor 3, where the runtime logs. */
import { LINK_LAYERS, OVERLAY_MARKS } from '../isolation.ts';

/**
 * In a mount namespace of its own, so that no mount is ever seen outside: the container's root, as an overlay over its
 * layers. Nothing of the image is followed: what is no folder where the kernel's filesystems go, at the root itself, is
 * replaced, for runtimes refuse it. Arguments: the container's folder; options of the overlay; layers, the topmost
 * first; `--`; the runtime and its arguments.
 */
export const MOUNT_ROOT = `
set -eu
exec 4>&2 2>&3
mount() { command mount -n "$@"; }
cd "$1"
options=$2
shift 2
mount -t tmpfs -o mode=0755,size=1m,nosuid,nodev p2c root
cd root
mkdir l c
ln -s ../upper ../work .
lower=
${LINK_LAYERS}mount -t overlay -o "$options${OVERLAY_MARKS},lowerdir=$lower,upperdir=upper,workdir=work" overlay c
missing=
for dir in c/proc c/dev c/sys; do
  if [ -L "$dir" ] || { [ -e "$dir" ] && ! [ -d "$dir" ]; }; then rm -f "$dir"; fi
  [ -d "$dir" ] || missing="$missing $dir"
done
[ -z "$missing" ] || mkdir $missing
mount --bind c .
cd /
exec 2>&4 4>&-
exec "$@"
`;

/**
 * Opens the description of a process, which holds its environment, and removes it before anyone else could read it.
 * Arguments: the file; the runtime and its arguments, which read it on descriptor 4.
 */
export const EXEC = `
set -eu
exec 4<"$1"
rm "$1"
shift
exec "$@"
`;
