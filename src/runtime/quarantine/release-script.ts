/**
 * What the container's own shell does for a release: files are put back; then, where an init looks after services, those are
 * started that it would have started, and what a script is to start is started by what was noted for that. POSIX sh.
 */

/** Arguments: operations; `--`; service, init and script by turns. */
export const RELEASE = `
while [ "$1" != -- ]; do
  case $1 in
    remove) rm -f "$2"; rmdir "\${2%/*}" 2>/dev/null; shift 2 ;;
    link) [ -L "$2" ] || ln -s "$3" "$2"; shift 3 ;;
    rename) { [ -e "$2" ] || [ -L "$2" ]; } && mv -f "$2" "$3"; shift 3 ;;
    *) exit 125 ;;
  esac
done
shift
# Where nothing tells the runlevel it may be any in which services run.
look_level() {
  level=$(runlevel 2>/dev/null)
  level=\${level##* }
  case $level in [0-9S]) return ;; esac
  level=$(sed -n 's/^id:\\([0-9]\\):initdefault:.*/\\1/p' /etc/inittab 2>/dev/null)
  [ -n "$level" ] || level=$(sed -n 's/^env DEFAULT_RUNLEVEL=\\([0-9]\\).*/\\1/p' /etc/init/rc-sysinit.conf 2>/dev/null)
  [ -n "$level" ] || level='2 3 4 5'
}
if [ -d /run/systemd/system ]; then
  init=systemd
  systemctl daemon-reload || exit 1
  # As systemd-sysv-generator(8) has it.
  level='2 3 4'
  if [ "$(systemctl is-active graphical.target 2>/dev/null)" = active ]; then level='2 3 4 5'; fi
elif [ "$(cat /proc/1/comm)" = init ]; then
  init=sysv
  look_level
else init=none
fi
# is_linked SERVICE: whether the init starts it by a link of a runlevel's folder, or a file there.
is_linked() {
  for one in S $level; do
    for link in "/etc/rc$one.d"/S[0-9][0-9]"$1" "/etc/rc.d/rc$one.d"/S[0-9][0-9]"$1" "/etc/init.d/rc$one.d"/S[0-9][0-9]"$1"; do
      if [ -e "$link" ]; then return; fi
    done
  done
  return 1
}
# Then what there is for sysvinit does not count.
has_unit() {
  for one in /etc/systemd/system /lib/systemd/system /usr/lib/systemd/system; do
    if [ -e "$one/$1.service" ]; then return; fi
  done
  return 1
}
# is_enabled UNIT: also one without [Install] that a distribution's own link wants.
is_enabled() {
  case $(systemctl is-enabled "$1" 2>/dev/null) in
    enabled* | generated | alias) return ;;
    static) ;;
    *) return 1 ;;
  esac
  for one in /etc/systemd/system/*.wants/"$1" /lib/systemd/system/*.wants/"$1" /usr/lib/systemd/system/*.wants/"$1"; do
    if [ -L "$one" ]; then return; fi
  done
  return 1
}
by_script() {
  for one in "/etc/init.d/$1" "/etc/rc.d/init.d/$1" "$link"; do
    if [ -x "$one" ]; then "$one" start; return; fi
  done
  echo "there is no script for $1"
  return 1
}
failed=0
while [ $# -gt 0 ]; do
  case $init/$2 in
    systemd/sysv)
      if ! has_unit "$1" && is_linked "$1"; then echo "start $1"; systemctl start "$1" || failed=1; fi ;;
    systemd/systemd)
      if is_enabled "$1"; then echo "start $1"; systemctl start "$1" || failed=1; fi ;;
    sysv/sysv)
      if is_linked "$1"; then echo "start $1"; by_script "$1" || failed=1; fi ;;
    sysv/upstart) echo "start $1"; initctl reload-configuration; initctl start "$1" || failed=1 ;;
    */services) echo "start $1"; sh -c "$3" || failed=1 ;;
  esac
  shift 3
done </dev/null 2>&1
exit $failed
`;
