# shellcheck shell=bash
# What an administrator did to a lab server: names, disks, users, sshd, nginx, cron, and what init leaves out.
# Works on $ROOT; part of lab-boot.sh.

write_settings() {
  write_names
  write_fstab
  write_users
  write_sshd
  write_cron
  if [ "$LAB_INIT" = sysvinit ]; then trim_init; fi
}

write_names() {
  printf '%s\n' "$LAB_NAME" >"$ROOT/etc/hostname"
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s.example.test %s\n' "$LAB_NAME" "$LAB_NAME" >"$ROOT/etc/hosts"
  printf 'search example.test\nnameserver 192.0.2.53\n' >"$ROOT/etc/resolv.conf"
  mkdir -p "$ROOT/etc/network"
  printf 'auto lo eth0\niface lo inet loopback\niface eth0 inet static\n  address 10.77.%s.2/30\n' \
    "$(cat "$LAB_STATE/number")" >"$ROOT/etc/network/interfaces"
  od -An -N16 -tx1 /dev/urandom | tr -d ' ' >"$ROOT/etc/machine-id"
}

write_fstab() {
  local disk at
  printf '# <file system> <mount point> <type> <options> <dump> <pass>\n' >"$ROOT/etc/fstab"
  for disk in root boot data tmp; do
    at=/$disk
    [ "$disk" != root ] || at=/
    printf 'UUID=%s %s ext4 relatime 0 2\n' "$(blkid -s UUID -o value "$LAB_STATE/disks/$disk.img")" "$at" >>"$ROOT/etc/fstab"
  done
  printf '/etc/bind /var/named/chroot/etc/bind none bind 0 0\n/swapfile none swap sw 0 0\n' >>"$ROOT/etc/fstab"
  fallocate -l 32M "$ROOT/swapfile"
  chmod 0600 "$ROOT/swapfile"
  mkswap -q "$ROOT/swapfile" >/dev/null 2>&1
}

# One password for all three, in the state folder; it comes by standard input, so it is in no argument list.
write_users() {
  local user password home
  password=$(cat "$LAB_STATE/password")
  chroot "$ROOT" useradd -m -s /bin/bash -c Administrator admin
  chroot "$ROOT" useradd -m -s /bin/bash -c 'Joe, an ordinary user' joe
  printf '%s\n' "root:$password" "admin:$password" "joe:$password" | chroot "$ROOT" chpasswd
  printf 'admin ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$ROOT/etc/sudoers.d/admin"
  chmod 0440 "$ROOT/etc/sudoers.d/admin"
  for user in root admin joe; do
    home=/home/$user
    [ "$user" != root ] || home=/root
    install -d -m 0700 "$ROOT$home/.ssh"
    install -m 0600 "$LAB_STATE/key.pub" "$ROOT$home/.ssh/authorized_keys"
    chroot "$ROOT" chown -R "$user:" "$home/.ssh"
  done
  printf 'mysqldump --password=hunter2 shop\n' >"$ROOT/root/.bash_history"
}

write_sshd() {
  local address
  address="10.77.$(cat "$LAB_STATE/number").2"
  sed -i -E '/^#?(PermitRootLogin|PasswordAuthentication) /d' "$ROOT/etc/ssh/sshd_config"
  printf 'PermitRootLogin yes\nPasswordAuthentication yes\n' >>"$ROOT/etc/ssh/sshd_config"
  ssh-keygen -A -f "$ROOT" >/dev/null
  awk -v host="$address" '{ print host, $1, $2 }' "$ROOT"/etc/ssh/ssh_host_*_key.pub >"$LAB_STATE/known_hosts"
}

write_cron() {
  # Once a year: what it writes would come in the middle of somebody's capture.
  printf '0 4 1 1 * root /opt/app/bin/report >/dev/null 2>&1\n' >"$ROOT/etc/cron.d/report"
  mkdir -p "$ROOT/opt/app/bin"
  printf '#!/bin/sh\ndate >>/var/log/app/report.log\n' >"$ROOT/opt/app/bin/report"
  chmod 0755 "$ROOT/opt/app/bin/report"
}

# Left out of the boot: what asks for real disks (all are mounted already), sets the machine's clock, modules, sysctls
# and backlight, or empties /tmp, and, on the way down, what would take the host's swap and file systems away.
trim_init() {
  local script
  for script in hwclock.sh checkroot.sh checkfs.sh checkroot-bootclean.sh mountall.sh mountall-bootclean.sh \
    mountnfs-bootclean.sh mount-configfs brightness procps kmod udev umountfs umountroot umountnfs.sh; do
    rm -f "$ROOT"/etc/rc?.d/[SK][0-9][0-9]"$script"
  done
  # The rest runs in the order of its numbers, without the dependencies of what is left out.
  touch "$ROOT/etc/init.d/.legacy-bootordering"
  # No terminals here: login prompts would die and be started again, each time with a record in wtmp that no capture
  # could ever catch up with. Runlevel 4 is nobody's.
  sed -i -E 's/^([0-9]):[0-9]+:respawn:(.*getty )/\1:4:respawn:\2/' "$ROOT/etc/inittab"
}
