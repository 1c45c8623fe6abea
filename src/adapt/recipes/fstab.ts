import { commentOut } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';

/**
 * The runner mounts everything: disks, swap and network filesystems of the old server are not there, and an init waits
 * for them or ends in a rescue shell (fstab(5); lxc's templates write an empty one).
 */
export const fstab: Recipe = {
  name: 'fstab',
  summary: 'mounts nothing of the old server',
  appliesTo: always,
  apply: (draft) => draft.edit('/etc/fstab', (text) => commentOut(text, () => true)),
};
