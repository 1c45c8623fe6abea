/**
 * The place where p2c handles an image's files: a mount namespace whose root is an almost empty tmpfs with this machine's
 * programs in it, read-only. A link out of the image leads nowhere from there.
 */
import { inUserNamespace } from './rootless/user-namespace.ts';

/**
 * Shell functions, constant text. `p2c_root DIR` mounts the tmpfs on DIR and goes there; what is wanted from this machine
 * is mounted below it next; `p2c_enter` makes it the root and lets go of this machine. `p2c_below PATTERN OPTION`, after
 * that, remounts with one option more what is mounted below the places that fit: a bind mount's own options say nothing of
 * those within it. (proc(5), mountinfo: backslashes there stand before the octal numbers of bytes. What autofs is to mount
 * comes to no namespace but its own.) In a user namespace, /proc is to be had for a PID namespace of its own alone, and one
 * that is read-only would keep a container from its own: elsewhere the machine's is shown.
 */
export const ISOLATION = `
# The kernel's table is the only one there is here.
mount() { command mount -n "$@"; }
umount() { command umount -n "$@"; }
p2c_root() {
  mount -t tmpfs -o mode=0755,size=64m,nosuid,nodev p2c "$1"
  cd "$1"
  mkdir old proc tmp
  linked=
  for dir in usr bin sbin lib lib32 lib64 libx32 nix gnu; do
    if [ -L "/$dir" ]; then
      linked="$linked /$dir"
    elif [ -d "/$dir" ]; then
      mkdir "$dir"
      mount --rbind "/$dir" "$dir"
      mount -o remount,bind,ro "$dir"
      host="$host /$dir"
    fi
  done
  [ -z "$linked" ] || cp -P $linked .
}
# What is read-only on this machine stays so in a user namespace, whatever is asked for.
p2c_remount() {
  if [ -z "\${P2C_USERNS:-}" ]; then
    mount -o "remount,bind,$1" "$2"
  elif ! mount -o "remount,bind,$1" "$2" 2>/dev/null; then
    mount -o "remount,bind,$1,ro" "$2"
  fi
}
p2c_below() {
  while read -r id above device root point flags rest; do
    case $point in $1/?*) ;; *) continue ;; esac
    case ",$flags, $rest" in *,$2,* | *' - autofs '*) continue ;; esac
    left=$point
    point=
    while [ "\${left#*\\\\}" != "$left" ]; do
      point=$point\${left%%\\\\*}
      left=\${left#*\\\\}
      byte=\${left%"\${left#???}"}
      point=$point$(printf "\\\\$byte.")
      point=\${point%.}
      left=\${left#???}
    done
    mount -o "remount,bind,\${flags%,idmapped},$2" "$point$left"
  done </proc/self/mountinfo
}
p2c_enter() {
  if [ -z "\${P2C_USERNS:-}" ]; then
    mount -t proc -o ro,nosuid,nodev,noexec proc proc
  elif ! mount -t proc -o nosuid,nodev,noexec proc proc 2>/dev/null; then
    mount --rbind /proc proc
    mount -o remount,bind,ro,nosuid,nodev,noexec proc
  fi
  pivot_root . old
  cd /
  umount -l /old
  for dir in $host; do p2c_below "$dir" ro; done
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

/** For an overlay's options in a script: in a user namespace its marks are attributes that a user may set (overlayfs.rst). */
export const OVERLAY_MARKS = `\${P2C_USERNS:+,userxattr}`;

/** The environment of programs that p2c runs: constant, and their messages in English. P2C_USERNS is for p2c's own scripts. */
export const HOST_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: HOST_PATH,
  LC_ALL: 'C',
  ...(inUserNamespace() ? { P2C_USERNS: '1' } : {}),
};

/**
 * The words of unshare(1) for a script in a mount namespace of its own; in a user namespace also in a PID namespace.
 * @param hostProcesses whether the script looks at processes of this machine.
 */
export function isolated(script: string, words: readonly string[], hostProcesses = false): string[] {
  const own = inUserNamespace() && !hostProcesses ? ['--pid', '--fork', '--kill-child'] : [];
  return ['--mount', '--propagation', 'private', ...own, 'sh', '-c', script, 'sh', ...words];
}
