/**
 * The place where p2c handles an image's files: a mount namespace whose root is an almost empty tmpfs with this machine's
 * programs in it, read-only. A link out of the image leads nowhere from there.
 */

/**
 * Shell functions, constant text. `p2c_root DIR` mounts the tmpfs on DIR and goes there; what is wanted from this machine
 * is mounted below it next; `p2c_enter` makes it the root and lets go of this machine.
 */
export const ISOLATION = `
# The kernel's table is the only one there is here.
mount() { command mount -n "$@"; }
umount() { command umount -n "$@"; }
p2c_root() {
  mount -t tmpfs -o mode=0755,size=64m,nosuid,nodev p2c "$1"
  cd "$1"
  mkdir old proc tmp
  for dir in usr bin sbin lib lib32 lib64 libx32 nix gnu; do
    if [ -L "/$dir" ]; then
      ln -s "$(readlink "/$dir")" "$dir"
    elif [ -d "/$dir" ]; then
      mkdir "$dir"
      mount --rbind "/$dir" "$dir"
      mount -o remount,bind,ro "$dir"
      host="$host /$dir"
    fi
  done
}
p2c_enter() {
  mount -t proc -o ro,nosuid,nodev,noexec proc proc
  pivot_root . old
  cd /
  umount -l /old
}
`;

/**
 * Shell, constant text: adds the arguments up to `--`, layers with the topmost first, to the `$lower` of an overlay.
 * Paths of many layers are longer than what mount(2) takes: links to them, in the folder `l`, are not.
 */
export const LINK_LAYERS = `
count=0
while [ "$1" != -- ]; do
  ln -s "$1" "l/$count"
  lower=$lower\${lower:+:}l/$count
  count=$((count + 1))
  shift
done
shift
`;

/** Where distributions keep the programs used here; p2c's own PATH may be anything. */
export const HOST_PATH = '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/run/current-system/sw/bin';

/** The environment of programs that p2c runs: constant, and their messages in English. */
export const HOST_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: HOST_PATH, LC_ALL: 'C' };
