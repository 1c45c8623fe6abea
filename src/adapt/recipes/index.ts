/** Every recipe, in the order in which they are applied. */
import type { Recipe } from '../recipe.ts';
import { binds } from './binds.ts';
import { debianBoot } from './debian-boot.ts';
import { fstab } from './fstab.ts';
import { hostname } from './hostname.ts';
import { inittab } from './inittab.ts';
import { machineId } from './machine-id.ts';
import { mtab } from './mtab.ts';
import { network } from './network.ts';
import { pam } from './pam.ts';
import { persistentNet } from './persistent-net.ts';
import { rcSysinit } from './rc-sysinit.ts';
import { securetty } from './securetty.ts';
import { selinux } from './selinux.ts';
import { servicesOff } from './services-off.ts';
import { sshHostKeys } from './ssh-host-keys.ts';
import { suseBoot } from './suse-boot.ts';
import { systemdDisks } from './systemd-disks.ts';
import { systemdUnits } from './systemd-units.ts';
import { tmpKept } from './tmp-kept.ts';
import { upstartEl } from './upstart-el.ts';
import { upstartUbuntu } from './upstart-ubuntu.ts';

export const RECIPES: readonly Recipe[] = [
  // Before all others: these may have something to do behind its links.
  binds,
  fstab,
  mtab,
  selinux,
  pam,
  securetty,
  persistentNet,
  machineId,
  hostname,
  network,
  tmpKept,
  inittab,
  debianBoot,
  rcSysinit,
  upstartEl,
  upstartUbuntu,
  suseBoot,
  systemdUnits,
  servicesOff,
  // After what masks units: nothing can require those.
  systemdDisks,
  // After inittab: it adds a line of its own.
  sshHostKeys,
];
