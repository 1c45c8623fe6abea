# shellcheck shell=bash
# What a lab server's systemd leaves out, told where it is forgotten with the server's memory, so that its disks look as
# an administrator left them. Works on $ROOT; part of lab-boot.sh.

# Masked for this boot: what sets the machine's sysctls, modules and clock, wants a console, or empties /tmp.
write_runtime_masks() {
  local unit
  mkdir -p "$ROOT/run/systemd/system" "$ROOT/run/systemd/system.conf.d" "$ROOT/run/tmpfiles.d"
  for unit in console-getty.service getty@.service getty-static.service kmod-static-nodes.service \
    proc-sys-fs-binfmt_misc.automount systemd-binfmt.service systemd-modules-load.service systemd-remount-fs.service \
    systemd-sysctl.service systemd-timesyncd.service dev-hugepages.mount dev-mqueue.mount sys-kernel-config.mount \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount; do
    ln -s /dev/null "$ROOT/run/systemd/system/$unit"
  done
  ln -s /dev/null "$ROOT/run/tmpfiles.d/tmp.conf"
  # No udev tells of the disks here: their mounts are there, and waiting for them would make the boot last 90 s.
  printf '[Manager]\nDefaultDeviceTimeoutSec=1s\n' >"$ROOT/run/systemd/system.conf.d/lab.conf"
}
