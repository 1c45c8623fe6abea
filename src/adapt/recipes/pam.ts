import { commentOut } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';

/**
 * pam_loginuid writes /proc/self/loginuid, which takes CAP_AUDIT_CONTROL and then fails every login and every cron job;
 * pam_selinux wants a policy (pam_loginuid(8), lxc-templates, "lxc-centos").
 */
export const pam: Recipe = {
  name: 'pam',
  summary: 'lets users log in without the audit and SELinux modules of PAM',
  appliesTo: always,
  apply: (draft) => {
    for (const path of draft.matching('/etc/pam.d', /^[\w.-]+$/)) {
      draft.edit(path, (text) => commentOut(text, (line) => /\bpam_(?:loginuid|selinux)\.so\b/.test(line)));
    }
  },
};
