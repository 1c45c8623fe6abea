# shellcheck shell=bash
# A lab server's life: brought up, looked at, taken down. Its state lies in LAB_DIR/NAME. All its mounts live in its own
# mount namespace, so they go when its processes do, however it ends; its loop devices go with `down`.

LAB_DIR=${P2C_LAB_DIR:-/var/tmp/p2c-lab}
case $LAB_DIR in /*) ;; *) fail "P2C_LAB_DIR must be an absolute path, not '$LAB_DIR'" ;; esac

# with_lock NAME COMMAND...: one `up` or `down` of a server at a time. The lock lies where a reboot clears it.
with_lock() {
  local name=$1
  shift
  mkdir -p /run/p2c-lab
  # No subshell: a signal must reach the shell that has the traps.
  exec 9>"/run/p2c-lab/$name.lock"
  flock 9
  "$@"
  exec 9>&-
}

# is_up NAME: its init runs, and in its network namespace (so that a number used again does not deceive).
is_up() {
  local pid
  pid=$(cat "$LAB_DIR/$1/pid" 2>/dev/null) || return 1
  [ -e "$LAB_DIR/$1/ready" ] && [ "/proc/$pid/ns/net" -ef "/run/netns/p2c-$1" ] || return 1
  case $(cat "/proc/$pid/comm" 2>/dev/null) in init | systemd) ;; *) return 1 ;; esac
}

# bring_up NAME SUITE INIT LARGE HOSTILE WITH: nothing stays of an attempt that failed.
bring_up() {
  local name=$1 state="$LAB_DIR/$1"
  if is_up "$name"; then
    [ "$(suite_of "$name")" = "$2" ] || fail "$name is up with $(suite_of "$name"); take it down first"
    [ "$(cat "$state/init")" = "$3" ] || fail "$name is up with $(cat "$state/init"); take it down first"
    [ "$(cat "$state/with")" = "$6" ] || fail "$name is up with other packages; take it down first"
    return
  fi
  take_down "$name"
  # The name as it is now: when the trap runs, this function's variables may be gone.
  trap "take_down '$name'" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  start_server "$@"
  trap - EXIT INT TERM HUP
}

start_server() {
  local name=$1 suite=$2 init=$3 large=$4 hostile=$5 state="$LAB_DIR/$1" tar with=()
  IFS=, read -ra with <<<"$6"
  if [ "$init" = systemd ]; then with=("${LAB_SYSTEMD[@]}" "${with[@]}"); fi
  tar=$(base_tar "$suite" "${with[@]}")
  alone mkdir -p -m 0700 "$state"
  printf '%s\n' "$suite" >"$state/suite"
  printf '%s\n' "$init" >"$state/init"
  printf '%s\n' "$6" >"$state/with"
  ssh-keygen -q -t ed25519 -N '' -C "p2c lab $name" -f "$state/key"
  (umask 077 && od -An -N9 -tx1 /dev/urandom | tr -d ' \n' >"$state/password")
  alone make_network "$name" "$state"
  LAB_NAME=$name LAB_SUITE=$suite LAB_INIT=$init LAB_STATE=$state LAB_BASE=$tar LAB_LARGE=$large LAB_HOSTILE=$hostile \
    setsid nsenter "--net=/run/netns/p2c-$name" \
    unshare --mount --pid --uts --ipc --fork --kill-child --propagation private \
    bash "$P2C_HOME/scripts/lib/lab-boot.sh" </dev/null >"$state/log" 2>&1 9>&- &
  await_server "$name" $!
  await_boot "$name"
  touch "$state/ready"
}

# await_server NAME LAUNCHER: until sshd and nginx answer, or the launcher is gone, or the time is up.
await_server() {
  local name=$1 launcher=$2 address deadline=$((SECONDS + 600))
  address=$(address_of "$name")
  until answers "$address" 22 SSH-2.0 && answers "$address" 80 "Hello from $name," 'GET / HTTP/1.0\r\n\r\n'; do
    if [ ! -e "/proc/$launcher" ] || [ "$SECONDS" -gt "$deadline" ]; then
      tail -n 20 "$LAB_DIR/$name/log" >&2
      fail "$name did not come up (waited for sshd and nginx at $address)"
    fi
    sleep 0.1
  done
}

# await_boot NAME: until its init has run all that starts at a boot: services that come late would come beside a test.
await_boot() {
  local name=$1 pid deadline=$((SECONDS + 600))
  pid=$(cat "$LAB_DIR/$name/pid")
  while boots "$pid"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "the boot of $name does not end"
    sleep 0.1
  done
}

boots() {
  local pid
  if [ "$(cat "/proc/$1/comm")" = systemd ]; then
    case $(nsenter -t "$1" -m -p -n systemctl is-system-running 2>/dev/null </dev/null) in running | degraded) return 1 ;; esac
    return 0
  fi
  for pid in $(ip netns pids "p2c-$name"); do
    case $(cat "/proc/$pid/comm" 2>/dev/null) in rc | rcS | startpar) return 0 ;; esac
  done
  return 1
}

suite_of() { cat "$LAB_DIR/$1/suite" 2>/dev/null || echo '?'; }

address_of() { printf '10.77.%s.2\n' "$(cat "$LAB_DIR/$1/number")"; }

# take_down NAME: processes, mounts and loop devices, cgroup, network, state; safe on what is half made and on nothing.
take_down() {
  local name=$1 state="$LAB_DIR/$1"
  kill_processes "$name"
  free_loops "$state"
  remove_cgroup "$name"
  alone remove_network "$name"
  rm -rf "${LAB_DIR:?}/$name"
  alone rmdir --ignore-fail-on-non-empty "$LAB_DIR" 2>/dev/null || true
}

# Everything in the server's network namespace is the server's; its init first, for the rest goes with it.
kill_processes() {
  local name=$1 deadline=$((SECONDS + 120)) pids pid
  [ -e "/run/netns/p2c-$name" ] || return 0
  pid=$(cat "$LAB_DIR/$name/pid" 2>/dev/null || true)
  if [ -n "$pid" ] && [ "/proc/$pid/ns/net" -ef "/run/netns/p2c-$name" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  while pids=$(ip netns pids "p2c-$name" 2>/dev/null) && [ -n "$pids" ]; do
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $pids 2>/dev/null || true
    [ "$SECONDS" -lt "$deadline" ] || fail "processes of $name do not end: $(echo "$pids" | xargs)"
    sleep 0.1
  done
}

# A device that is still mounted somewhere is detached by the kernel with its last mount.
free_loops() {
  local state=$1 deadline=$((SECONDS + 60))
  until [ -z "$(loops_of "$state/disks/")" ]; do
    alone detach_loops "$state/disks/"
    [ "$SECONDS" -lt "$deadline" ] || fail "loop devices stay attached: $(loops_of "$state/disks/" | xargs)"
    sleep 0.1
  done
}

server_names() {
  local state
  for state in "$LAB_DIR"/*/; do
    [ -e "$state/suite" ] || continue
    basename "$state"
  done
}

server_json() {
  local name=$1 state="$LAB_DIR/$1" pid
  pid=$(cat "$state/pid")
  printf '{"name":"%s","suite":"%s","init":"%s","address":"%s","port":22,"user":"root","identity":"%s","knownHosts":"%s","passwordFile":"%s","rootDir":"%s","pid":%s,"netns":"%s"}' \
    "$name" "$(cat "$state/suite")" "$(cat "$state/init")" "$(address_of "$name")" "$state/key" "$state/known_hosts" "$state/password" "/proc/$pid/root" "$pid" "p2c-$name"
}

server_text() {
  local name=$1 state="$LAB_DIR/$1" pid
  pid=$(cat "$state/pid")
  cat <<TEXT
$name: Debian $(cat "$state/suite") with $(cat "$state/init") at $(address_of "$name"), ssh on port 22, http on port 80
  users         root; admin (sudo without a password); joe (no sudo)
  key           $state/key
  password      in $state/password, of all three
  host keys     $state/known_hosts
  its files     /proc/$pid/root
  log in        ssh -i $state/key -o UserKnownHostsFile=$state/known_hosts root@$(address_of "$name")
  give back     $0 down $name
TEXT
}
