import { assign } from '../lines.ts';
import type { Recipe } from '../recipe.ts';
import { removeLinks } from './services-off.ts';

/** Boot scripts of SLES 10 and 11 for disks, devices, modules, clock and swap (boot(7) of SUSE). */
const MACHINE = [
  'boot.apparmor',
  'boot.clock',
  'boot.crypto',
  'boot.crypto-early',
  'boot.device-mapper',
  'boot.dmraid',
  'boot.efivars',
  'boot.fuse',
  'boot.klog',
  'boot.ldconfig',
  'boot.loadmodules',
  'boot.localfs',
  'boot.lvm',
  'boot.lvm_monitor',
  'boot.md',
  'boot.multipath',
  'boot.open-iscsi',
  'boot.proc',
  'boot.rootfsck',
  'boot.swap',
  'boot.sysctl',
  'boot.udev',
  'boot.udev_retry',
];

export const suseBoot: Recipe = {
  name: 'suse-boot',
  summary: "leaves disks, devices, modules, clock and swap out of SUSE's boot scripts",
  appliesTo: ({ distribution, init }) => distribution === 'sles' && init === 'sysvinit',
  apply: (draft) => {
    // With the links that stop them: /etc/init.d/halt runs those, and they unmount, swap off and set the clock.
    removeLinks(draft, '/etc/init.d/boot.d', MACHINE, /^[SK]\d\d./);
    // startpar(8) would order by dependencies that are gone.
    draft.edit('/etc/sysconfig/boot', (text) => assign(text, 'RUN_PARALLEL', '"no"'));
  },
};
