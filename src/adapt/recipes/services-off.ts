import type { Draft } from '../draft.ts';
import type { Recipe } from '../recipe.ts';
import { maskUnits } from './mask-units.ts';

/** Services of Red Hat's and SUSE's systems that look after hardware, disks or the machine's own network. */
const MACHINE = [
  'acpid',
  'apmd',
  'auditd',
  'boot.apparmor',
  'cpuspeed',
  'earlyxdm',
  'firewalld',
  'gpm',
  'haldaemon',
  'ip6tables',
  'iptables',
  'irq_balancer',
  'irqbalance',
  'iscsi',
  'iscsid',
  'kbd',
  'kdump',
  'kudzu',
  'lm_sensors',
  'lvm2-lvmetad',
  'lvm2-monitor',
  'mcelogd',
  'mdmonitor',
  'microcode.ctl',
  'microcode_ctl',
  'multipathd',
  'network',
  'NetworkManager',
  'open-iscsi',
  'pcmcia',
  'powersaved',
  'smartd',
  'splash',
  'splash_early',
  'SuSEfirewall2_init',
  'SuSEfirewall2_setup',
  'udev-post',
  'xdm',
];

const RUNLEVELS = ['2', '3', '4', '5'].flatMap((level) => [`/etc/rc${level}.d`, `/etc/init.d/rc${level}.d`]);

/** As `chkconfig NAME off` (chkconfig(8)); what the openvz and lxc templates for these systems switch off. */
export const servicesOff: Recipe = {
  name: 'services-off',
  summary: 'switches off the services of hardware, disks and firewall (Red Hat, SUSE)',
  appliesTo: ({ distribution, init }) => (distribution === 'el' || distribution === 'sles') && init !== 'none',
  apply: (draft, { init }) => {
    for (const folder of RUNLEVELS) removeLinks(draft, folder, MACHINE, START);
    if (init === 'systemd')
      maskUnits(
        draft,
        MACHINE.map((name) => `${name}.service`),
      );
  },
};

/** `S12name`: what is started in a runlevel. */
const START = /^S\d\d./;

/** @param links names with three signs before the service's, as `S12name`. */
export function removeLinks(draft: Draft, folder: string, services: readonly string[], links: RegExp): void {
  for (const path of draft.matching(folder, links)) {
    if (services.includes(path.slice(path.lastIndexOf('/') + 4))) draft.remove(path);
  }
}
