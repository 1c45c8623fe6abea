import { commentOut } from '../lines.ts';
import type { Recipe } from '../recipe.ts';
import { removeLinks } from './services-off.ts';

/**
 * Scripts of Debian's initscripts, ifupdown, kmod and udev that check, mount and unmount disks, load modules, set the
 * clock, the kernel or the network's interfaces: the runner did what is to be done (lxc-templates, "lxc-debian").
 */
const MACHINE = [
  'brightness',
  'checkfs.sh',
  'checkroot-bootclean.sh',
  'checkroot.sh',
  'console-setup.sh',
  'cryptdisks',
  'cryptdisks-early',
  'hwclock.sh',
  'hwclockfirst.sh',
  'ifupdown',
  'ifupdown-clean',
  'keyboard-setup.sh',
  'kmod',
  'lvm2',
  'mdadm',
  'mdadm-raid',
  'module-init-tools',
  'mount-configfs',
  'mountall-bootclean.sh',
  'mountall.sh',
  'mountdevsubfs.sh',
  'mountkernfs.sh',
  'mountnfs-bootclean.sh',
  'mountnfs.sh',
  'networking',
  'procps',
  'screen-cleanup',
  'udev',
  'udev-mtab',
  'umountfs',
  'umountnfs.sh',
  'umountroot',
];

const FOLDERS = ['S', '0', '1', '6'].map((level) => `/etc/rc${level}.d`);

export const debianBoot: Recipe = {
  name: 'debian-boot',
  summary: "leaves disks, devices, modules, clock and network out of Debian's boot scripts",
  appliesTo: ({ distribution, init }) =>
    init === 'sysvinit' && (distribution === 'debian' || distribution === 'ubuntu'),
  apply: (draft) => {
    for (const folder of FOLDERS) removeLinks(draft, folder, MACHINE, /^[SK]\d\d./);
    // The rest runs in the order of its numbers: rc(8) would look for what is left out (insserv(8)).
    draft.write('/etc/init.d/.legacy-bootordering', '');
    draft.edit('/etc/modules', (text) => commentOut(text, () => true));
  },
};
