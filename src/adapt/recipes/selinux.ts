import { assign } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';

/**
 * A container has no policy of its own and its files have no labels (they are left out of layers): an init that tries to
 * load one stops (selinux(8), "SELINUX=").
 */
export const selinux: Recipe = {
  name: 'selinux',
  summary: 'disables SELinux, whose policy belongs to a machine and not to a container',
  appliesTo: always,
  apply: (draft) => {
    for (const path of ['/etc/selinux/config', '/etc/sysconfig/selinux']) {
      draft.edit(path, (text) => assign(text, 'SELINUX', 'disabled'));
    }
  },
};
