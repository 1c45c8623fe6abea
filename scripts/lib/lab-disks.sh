# shellcheck shell=bash
# The disks of a lab server: sparse images in its state folder, attached as loop devices.

# make_disk LABEL SIZE: a sparse image with ext4 on it; its tables are written when they are first needed.
make_disk() {
  mkdir -p "$LAB_STATE/disks"
  truncate -s "$2" "$LAB_STATE/disks/$1.img"
  mkfs.ext4 -q -L "$1" -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$LAB_STATE/disks/$1.img"
}

mount_disk() {
  mkdir -p "$2"
  # Attached for good and not by `mount -o loop`: the server's own mount(8) would name the file behind the device.
  mount -o relatime "$(losetup --find --show "$LAB_STATE/disks/$1.img")" "$2"
}

# loops_of FOLDER: the devices attached to images in it. Read from sysfs one by one, for losetup(8) gives up its whole list
# when a device of somebody else goes away meanwhile.
loops_of() {
  local file backing device
  for file in /sys/block/loop*/loop/backing_file; do
    read -r backing <"$file" || continue
    case $backing in "$1"*) ;; *) continue ;; esac
    device=${file#/sys/block/}
    printf '/dev/%s\n' "${device%%/*}"
  done 2>/dev/null
}
