# shellcheck shell=bash
# A lab server's cgroup: systemd wants a hierarchy of its own (version 2) and would otherwise manage this machine's.
# Reached through a mount of one's own, for where the machine has it differs: pure or hybrid.

# enter_cgroup NAME: this process, and what it starts, belongs to it. In a mount namespace of one's own only.
enter_cgroup() {
  mount -t cgroup2 cgroup2 /mnt
  mkdir -p "/mnt/p2c-lab-$1"
  echo 0 >"/mnt/p2c-lab-$1/cgroup.procs"
  umount /mnt
}

# remove_cgroup NAME: safe when there is none. Its processes are gone already.
remove_cgroup() {
  unshare --mount --propagation private sh -c '
    mount -t cgroup2 cgroup2 /mnt && cd /mnt || exit 0
    [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} \;' sh "p2c-lab-$1"
}
