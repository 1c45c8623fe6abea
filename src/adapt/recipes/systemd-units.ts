import type { Draft } from '../draft.ts';
import { hasInit, type Recipe } from '../recipe.ts';
import { OWN_UNITS, PLACES } from '../unit-files.ts';
import { maskUnits } from './mask-units.ts';

/**
 * Units that act on a machine: its root filesystem, devices, modules, kernel settings, clock. In a container they fail,
 * and what waits for them waits long (systemd's "Container Interface"; lxc's templates mask the same).
 */
const MACHINE = [
  'systemd-remount-fs.service',
  'systemd-udevd.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd-varlink.socket',
  'systemd-udev-trigger.service',
  'systemd-udev-settle.service',
  'systemd-udev-load-credentials.service',
  'systemd-hwdb-update.service',
  'kmod-static-nodes.service',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-tmpfiles-setup-dev-early.service',
  'systemd-modules-load.service',
  'systemd-sysctl.service',
  'systemd-binfmt.service',
  'systemd-timesyncd.service',
  'systemd-vconsole-setup.service',
  'systemd-pstore.service',
  'systemd-quotacheck.service',
  'systemd-random-seed.service',
  'systemd-firstboot.service',
  'systemd-networkd-wait-online.service',
  'NetworkManager-wait-online.service',
  'networking.service',
  'dhcpcd.service',
  'dhcpcd5.service',
  'keyboard-setup.service',
  'console-setup.service',
  'hwclock-save.service',
  'fstrim.timer',
  'e2scrub_all.timer',
  'proc-sys-fs-binfmt_misc.automount',
  'proc-sys-fs-binfmt_misc.mount',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'getty@tty1.service',
  'getty-static.service',
  // EL 7 and 8.
  'rhel-autorelabel.service',
  'rhel-configure.service',
  'rhel-dmesg.service',
  'rhel-domainname.service',
  'rhel-import-state.service',
  'rhel-loadmodules.service',
  'rhel-readonly.service',
  'initial-setup.service',
  // SLES 12.
  'wicked.service',
  'wickedd.service',
  'wickedd-nanny.service',
  'SuSEfirewall2.service',
  'SuSEfirewall2_init.service',
];

export const systemdUnits: Recipe = {
  name: 'systemd-units',
  summary: 'masks the units that act on a machine: udev, modules, kernel settings, clock, network',
  appliesTo: hasInit('systemd'),
  apply: (draft) => {
    maskUnits(draft, MACHINE);
    withoutDisplay(draft);
  },
};

const DEFAULT = `${OWN_UNITS}/default.target`;
const WANTED = 'multi-user.target';

/** A target with a display manager has no display here. Without a link the distribution's own counts, which often is such a one. */
function withoutDisplay(draft: Draft): void {
  if (!/(?:^|\/)(?:graphical|runlevel5)\.target$/.test(draft.target(DEFAULT) ?? 'graphical.target')) return;
  // Where /usr is not merged only one of the places has it, and a link to another leads nowhere.
  const place = PLACES.find((each) => draft.kind(`${each}/${WANTED}`) !== undefined);
  if (place === undefined) draft.passOver(DEFAULT, `the image has no ${WANTED}`);
  else draft.link(DEFAULT, `${place}/${WANTED}`);
}
