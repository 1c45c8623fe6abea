/**
 * What the engine `namespaces` runs as a container's PID 1 until the command takes over: constant POSIX sh, told what to
 * do by its arguments. It speaks on descriptor 3: `init` and its line of proc(5)'s stat, messages, `ready`.
 */
import { ISOLATION, OVERLAY_MARKS } from '../isolation.ts';
import { WALK } from '../walk.ts';
import { toolCommand } from './toolbox.ts';

/**
 * Mounts the container's own devpts over this machine's, in a mount namespace that stays for as long as the container
 * lives: whoever opens a terminal there, now or at an exec later, gets one that has a name in the container too.
 * Arguments: the options of the mount; the command that goes on.
 */
export const TERMINALS = `
set -eu
exec 4>&2 2>&3
mount -n -t devpts -o "$1" devpts /dev/pts
mount -n --bind /dev/pts/ptmx /dev/ptmx
shift
exec 2>&4 4>&-
exec "$@"
`;

/**
 * Starts the setup as the first process of a new PID namespace and tells its end truly: unshare(1) itself, told to fork,
 * answers 1 for a process that was killed. The subshell keeps this shell's own word on that ("Killed") out of the log.
 * Arguments: the setup.
 */
export const INIT = `
exec 4>&2 2>/dev/null
(exec "$@" 2>&4 4>&-)
exit $?
`;

/**
 * Joins cgroups and goes on. Arguments: their folders; `--`; the command. 0 stands for the writer, in whatever namespace.
 * Where an init has made groups below, processes may not be in the one above (cgroups(7), "no internal processes"): then
 * the init's own is joined.
 */
export const JOIN = `
set -eu
while [ "$1" != -- ]; do
  { echo 0 >"$1/cgroup.procs"; } 2>/dev/null || echo 0 >"$1/init.scope/cgroup.procs"
  shift
done
shift
exec "$@"
`;

/**
 * The order is runc's, but for one thing. The root of the namespace stays an almost empty read-only tmpfs, R, and the
 * container is chrooted to R/c with its capabilities dropped first. Programs that still have all capabilities, here and
 * in exec, so run from R and never see a file of the image: a loader reads `/etc/ld.so.preload` of its root, whatever it
 * is told, and an image's would run with all of them. Who breaks out of the chroot finds R and nothing in it.
 *
 * Arguments: a file that this process alone holds open until its command takes over, where the last step before that tells
 * why there is none; R's folder; operations that need this machine; `--`; operations in R; `--`; the command.
 */
export const SETUP = `${ISOLATION}${WALK}
set -eu
umask 022
exec 4>&2 2>&3
exec 5>"$1"
shift
export P2C_REPORT=5
# Who this is is told from here: a short command may have ended before anyone could look.
read -r stat </proc/self/stat
echo "init $stat" >&3
host=
# What is left of the set-up is let go of in this order: without /proc nothing more is.
own=/proc
lower=
count=0
# The place of a mount. What keeps the container apart is not to be covered by way of a link.
place() {
  p2c_go "$1" "$2"
  [ "$links" -eq 0 ] || case $PWD/$name in
    /c/ | /c/proc/* | /c/sys/* | /c/dev/*) p2c_refuse "leads to '\${PWD#/c}/$name' by a link in the container, and nothing may be mounted there" ;;
  esac
}
# The arguments from the one on, so many, for eval: one program then does what many would.
words() {
  words=
  last=$(($1 + $2))
  while [ "$last" -gt "$1" ]; do
    last=$((last - 1))
    words="\\"\\\${$last}\\" $words"
  done
}
p2c_root "$1"
shift
mkdir c l v tools devices pts
mount --bind /dev/pts pts
while [ "$1" != -- ]; do
  case $1 in
    tools)
      words 3 "$2"
      eval "cp $words tools"
      shift $((2 + $2)) ;;
    tool)
      cp "$2" "tools/$3"
      shift 3 ;;
    layer)
      ln -s "$2" "l/$count"
      lower=$lower\${lower:+:}l/$count
      count=$((count + 1))
      shift 2 ;;
    writable)
      ln -s "$2/upper" "$2/work" .
      shift 2 ;;
    volume)
      if [ "$4" = folder ]; then mkdir "v/$2"; else : >"v/$2"; fi
      mount "--$5" "$3" "v/$2"
      p2c_remount "$6" "v/$2"
      shift 6 ;;
    hostname)
      # The file is the machine's root's, whoever's the namespace is.
      if [ -n "\${P2C_USERNS:-}" ]; then hostname "$2"; else echo "$2" >/proc/sys/kernel/hostname; fi
      shift 2 ;;
    machine-device)
      : >"devices/$2"
      mount --bind "$3" "devices/$2"
      shift 3 ;;
    own-sysfs)
      # While this one is to be seen, the container's own can be mounted.
      mkdir sys
      mount -t sysfs sysfs sys
      echo 0x9 >sys/class/net/lo/flags
      own="/sys $own"
      shift ;;
    machine-sysfs)
      mkdir sys
      mount --rbind /sys sys
      mount -o remount,bind,ro,nosuid,nodev,noexec sys
      shift ;;
    overlay)
      mount -t overlay -o "$2${OVERLAY_MARKS},lowerdir=$lower,upperdir=upper,workdir=work" overlay c
      shift 2 ;;
    *)
      echo "unknown operation $1"
      exit 125 ;;
  esac
done
shift
p2c_enter
rm -f l/* upper work
while [ "$1" != -- ]; do
  case $1 in
    below)
      p2c_below "$2" "$3"
      shift 3 ;;
    mount)
      place folder "$3"
      mount -c -t "$2" -o "$4" "$2" .
      shift 4 ;;
    memory)
      place folder "$2"
      mount -t tmpfs -o "$3" tmpfs /tmp
      if [ -z "$made" ]; then
        # As runc: the folder's mode where none is given, and never its owner.
        owner=$(stat -c %u:%g /tmp)
        if [ "$4" = kept ]; then mode=$(stat -c %a .); else mode=$(stat -c %a /tmp); fi
        [ "$5" = empty ] || cp -a ./. /tmp
        chown "$owner" /tmp
        chmod "$mode" /tmp
      fi
      [ "$6" = writable ] || mount -o "$6" /tmp
      mount -c --move /tmp .
      shift 6 ;;
    terminals)
      place folder "$2"
      mount -c --move /pts .
      shift 2 ;;
    move)
      place "$3" "$4"
      if [ "$3" = folder ]; then
        mount -c --move "/v/$2" .
      else
        # Who shares a volume in which it lies could put a link there at this moment, and take it away again.
        mount -c --bind "/v/$2" "./$name"
        [ "/v/$2" -ef "./$name" ] || p2c_refuse 'was changed just now'
        host="$host /v/$2"
      fi
      shift 4 ;;
    folders)
      place folder "$3"
      words 4 "$2"
      eval "mkdir $words"
      shift $((3 + $2)) ;;
    cgroup)
      place folder "$2"
      mount -c -t "$3" -o "$4" cgroup .
      mount -o "remount,bind,$5" "/c$2"
      shift 5 ;;
    devices)
      mount -t tmpfs -o nosuid,mode=755,size=64k devices /devices
      own="/devices $own"
      shift ;;
    moved-device)
      place file "$3"
      mount -c --move "/devices/$2" "./$name"
      shift 3 ;;
    moved-sysfs)
      place folder /sys
      mount -c --move /sys .
      shift ;;
    device)
      mknod -m "$7" "/devices/$2" "$4" "$5" "$6"
      [ "$8" = 0:0 ] || chown "$8" "/devices/$2"
      place file "$3"
      mount -c --bind "/devices/$2" "./$name"
      shift 8 ;;
    link)
      ln -sf "$2" "/c$3"
      shift 3 ;;
    console)
      # The terminal of this process, which lies in the container's own devpts by now.
      place file /dev/console
      mount --bind "/c$(readlink /proc/self/fd/0)" ./console
      shift ;;
    folder)
      p2c_go within "$2"
      shift 2 ;;
    loopback)
      mount -t sysfs sysfs /tmp
      echo 0x9 >/tmp/class/net/lo/flags
      umount /tmp
      shift ;;
    mask)
      if [ -d "/c$2" ]; then
        mount -t tmpfs -o ro,nosuid,nodev,noexec,size=4k mask "/c$2"
      elif [ -e "/c$2" ]; then
        mount --bind /c/dev/null "/c$2"
      fi
      shift 2 ;;
    readonly)
      if [ -e "/c$2" ]; then
        mount --bind "/c$2" "/c$2"
        mount -o remount,bind,ro,nosuid,nodev,noexec "/c$2"
      fi
      shift 2 ;;
    sealed)
      mount -o remount,bind,ro /c
      shift ;;
    limit)
      prlimit --pid $$ "$2"
      shift 2 ;;
    *)
      echo "unknown operation $1"
      exit 125 ;;
  esac
done
cd /
shift
mount -o remount,ro /
umount -l $host $own
echo ready >&3
exec 2>&4 3>&- 4>&-
exec "$@"
`;

/**
 * Runs a command with the environment that came in `P2C_ENV_0`, `P2C_ENV_1`…: until here its values are those of
 * variables with harmless names. The arguments of the processes that wait outside for the container's end are everyone's
 * to read for as long as it runs, and a variable that means something to a shell or a loader must not reach this
 * machine's. It has no word for a command that cannot be started. Arguments: how many; the command.
 */
export const WITH_ENVIRONMENT = `
exec 5>&-
count=$1
shift
while [ "$count" -gt 0 ]; do
  count=$((count - 1))
  eval "set -- \\"\\$P2C_ENV_$count\\" \\"\\$@\\""
done
exec ${toolCommand('env', '-i', '--').join(' ')} "$@"
`;
