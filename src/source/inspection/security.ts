/** The kernel's guards over what programs may do: SELinux and AppArmor, which a container's files do not bring along. */
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';

export interface Guards {
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
  /** Loaded profiles of AppArmor; null where it is on and only root may list them. */
  readonly appArmorProfiles: number | null;
}

export const SECURITY_SECTIONS: readonly Section[] = [
  { name: 'selinux', script: 'cat /sys/fs/selinux/enforce || cat /selinux/enforce', maxBytes: 64 },
  { name: 'getenforce', script: 'getenforce', maxBytes: 64 },
  { name: 'apparmor', script: 'cat /sys/module/apparmor/parameters/enabled', maxBytes: 64 },
  { name: 'apparmor-profiles', script: 'wc -l </sys/kernel/security/apparmor/profiles', maxBytes: 64 },
];

export function readGuards(answers: Answers): Fact<Guards> {
  const enforce = answers.line('selinux');
  const said = answers.line('getenforce').toLowerCase();
  const selinux =
    enforce === '1' || said === 'enforcing'
      ? 'enforcing'
      : enforce === '0' || said === 'permissive'
        ? 'permissive'
        : 'disabled';
  const on = answers.line('apparmor') === 'Y';
  const profiles = answers.line('apparmor-profiles').trim();
  const appArmorProfiles = /^\d+$/.test(profiles) ? Number(profiles) : on ? null : 0;
  return known(
    { selinux, appArmorProfiles },
    appArmorProfiles === null ? "not root: AppArmor's profiles are not listed" : undefined,
  );
}
