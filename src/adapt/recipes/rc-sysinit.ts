import { neutralise } from '../lines.ts';
import type { Recipe } from '../recipe.ts';

/**
 * What Red Hat's first and last script do to a machine: devices, clock, the root's filesystem, swap (initscripts,
 * sysvinitfiles; lxc-templates, "lxc-centos").
 */
const SYSINIT = [
  command('/sbin/start_udev'),
  command('/sbin/hwclock'),
  command('mount -n -o remount,rw /'),
  command('mount -o remount,rw /'),
  command('mount -f \\S+'),
  // Without a root in fstab the 4's asks fsck for '/' itself, fails, and ends in a rescue shell (sulogin(8)).
  command('fsck -T'),
  command('/sbin/modprobe'),
  command('/sbin/swapon'),
  command('swapon'),
];
const HALT = [command('/sbin/hwclock'), command('hwclock'), command('/sbin/swapoff'), command('swapoff')];

export const rcSysinit: Recipe = {
  name: 'rc-sysinit',
  summary: "leaves devices, clock, root filesystem and swap out of Red Hat's boot scripts",
  appliesTo: ({ distribution, init }) => distribution === 'el' && (init === 'sysvinit' || init === 'upstart'),
  apply: (draft) => {
    draft.edit('/etc/rc.d/rc.sysinit', (text) => neutralise(text, SYSINIT));
    draft.edit('/etc/rc.d/init.d/halt', (text) => neutralise(text, HALT));
    // rc.sysinit then says nothing of a check, and looks for no volume groups. It removes the first mark at the first boot.
    if (draft.kind('/etc/rc.d/rc.sysinit') === 'file')
      for (const mark of ['/fastboot', '/.nolvm']) draft.write(mark, '');
    for (const path of ['/etc/sysconfig/iptables-config', '/etc/sysconfig/ip6tables-config']) {
      draft.edit(path, (text) => text.replace(/^(IP6?TABLES_MODULES)=.*$/gm, '$1=""'));
    }
  },
};

/** Where it is run, and not where it is looked for: `[ -x /sbin/hwclock ]`. */
function command(pattern: string): RegExp {
  return new RegExp(`(?<before>^|[\\s;&|("\`])(?<!-[a-z] )${pattern}(?=[\\s;&|)"\`]|$)`, 'g');
}
