# shellcheck shell=bash
# The disks of a lab server: sparse images in its state folder, attached as loop devices.

# alone COMMAND...: keeps other servers' ups and downs out of what they share: LAB_DIR, the names of networks, the numbers
# of loop devices. For moments only; in a subshell of its own, so that no server inherits the lock.
alone() (
  flock 7
  "$@"
) 7>/run/p2c-lab/.shared.lock

# make_disk LABEL SIZE: a sparse image with ext4 on it; its tables are written when they are first needed.
make_disk() {
  mkdir -p "$LAB_STATE/disks"
  truncate -s "$2" "$LAB_STATE/disks/$1.img"
  mkfs.ext4 -q -L "$1" -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$LAB_STATE/disks/$1.img"
}

mount_disk() {
  mkdir -p "$2"
  alone attach_and_mount "$LAB_STATE/disks/$1.img" "$2"
}

# Attached for good and not by `mount -o loop`: the server's own mount(8) would name the file behind the device.
attach_and_mount() {
  mount -o relatime "$(losetup --find --show "$1")" "$2"
}

# Alone, as attaching is: else a device that the kernel let go meanwhile may be another server's by now.
detach_loops() {
  local loops
  loops=$(loops_of "$1")
  # shellcheck disable=SC2086 # a list of devices
  [ -z "$loops" ] || losetup -d $loops 2>/dev/null || true
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
