#!/usr/bin/env bash
# Runs as process 1 of a new lab server's namespaces: makes and mounts its disks, lays its files out, makes its root
# the root, and becomes its init. What fails here ends the namespaces, and with them every mount.
# In: LAB_NAME, LAB_SUITE, LAB_INIT, LAB_STATE (its folder), LAB_BASE (the suite's tar), LAB_LARGE and LAB_HOSTILE (0 or 1).
set -euo pipefail
here=$(dirname "$0")
. "$here/lab-disks.sh"
. "$here/lab-settings.sh"
. "$here/lab-files.sh"
. "$here/lab-packages.sh"
. "$here/lab-hostile.sh"
. "$here/lab-cgroup.sh"
. "$here/lab-systemd.sh"

ROOT="$LAB_STATE/root"

mount_disks() {
  local disk
  make_disk root 8G && make_disk boot 256M && make_disk data 8G && make_disk tmp 1G
  mkdir "$ROOT"
  mount_disk root "$ROOT"
  tar --xattrs --xattrs-include='*' --numeric-owner -xpf "$LAB_BASE" -C "$ROOT"
  if [ "$LAB_HOSTILE" = 1 ]; then hide_below_mounts; fi
  for disk in boot data tmp; do mount_disk "$disk" "$ROOT/$disk"; done
  chmod 1777 "$ROOT/tmp"
}

# The kernel's own filesystems, as a server has them; /dev with its own nodes, for a devtmpfs would be the host's.
mount_kernel_filesystems() {
  local node
  mount -t proc -o nosuid,nodev,noexec proc "$ROOT/proc"
  mount -t sysfs -o nosuid,nodev,noexec sysfs "$ROOT/sys"
  mount -t tmpfs -o mode=0755,nosuid,size=10m udev "$ROOT/dev"
  for node in null zero full random urandom tty; do cp -a "/dev/$node" "$ROOT/dev/$node"; done
  chmod 0666 "$ROOT"/dev/{null,zero,full,random,urandom,tty}
  : >"$ROOT/dev/console"
  for node in $(loops_of "$LAB_STATE/disks/"); do
    cp -a "$node" "$ROOT/dev/"
  done
  ln -s /proc/self/fd "$ROOT/dev/fd"
  ln -s fd/0 "$ROOT/dev/stdin" && ln -s fd/1 "$ROOT/dev/stdout" && ln -s fd/2 "$ROOT/dev/stderr"
  mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec devpts "$ROOT/dev/pts"
  ln -s pts/ptmx "$ROOT/dev/ptmx"
  mount -t tmpfs -o mode=1777,nosuid,nodev shm "$ROOT/dev/shm"
  mount -t tmpfs -o mode=0755,nosuid,nodev,size=10% tmpfs "$ROOT/run"
}

# As named's chroot has it: a folder of the same filesystem, seen at a second place.
mount_bind() {
  mkdir -p "$ROOT/etc/bind" "$ROOT/var/named/chroot/etc/bind"
  printf 'zone "example.test" { type master; file "/etc/bind/db.example"; };\n' >"$ROOT/etc/bind/named.conf.local"
  printf '$TTL 3600\n@ IN SOA ns hostmaster 1 3600 900 604800 300\n' >"$ROOT/etc/bind/db.example"
  mount --bind "$ROOT/etc/bind" "$ROOT/var/named/chroot/etc/bind"
}

# read is a builtin, so /proc/self is this process, and the number is the host's, whose /proc this still is.
read -r pid _ </proc/self/stat
printf '%s\n' "$pid" >"$LAB_STATE/pid"

mount_disks
mount_bind
write_settings
write_packages
write_application
write_odd_files
if [ "$LAB_HOSTILE" = 1 ]; then write_hostile_files; fi
if [ "$LAB_LARGE" = 1 ]; then node "$here/lab-large.mjs" "$ROOT"; fi
mount_kernel_filesystems
printf '%s\n' "$LAB_NAME" >"$ROOT/proc/sys/kernel/hostname"

become_init='umount -l /mnt && exec /sbin/init'
if [ "$LAB_INIT" = systemd ]; then
  write_runtime_masks
  enter_cgroup "$LAB_NAME"
  become_init="umount -l /mnt && exec unshare --cgroup sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec env container=lab /sbin/init'"
fi

cd "$ROOT"
pivot_root . mnt
cd /
# The capabilities that would reach past the namespaces, to the machine below, stay behind.
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=linux \
  setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-mac_admin,-mac_override,-syslog \
  /bin/sh -c "$become_init" </dev/null >/dev/null 2>&1
