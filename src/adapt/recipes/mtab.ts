import { always, type Recipe } from '../recipe.ts';

/** A table of mounts that was written by the old server's mount(8) tells of disks that are gone; the kernel's is true. */
export const mtab: Recipe = {
  name: 'mtab',
  summary: 'takes the table of mounts from the kernel',
  appliesTo: always,
  apply: (draft) => {
    const target = draft.target('/etc/mtab');
    const kernels = target !== undefined && /(?:^|\/)proc\/(?:self\/)?mounts$/.test(target);
    if (!kernels && draft.kind('/etc') === 'directory') draft.link('/etc/mtab', '/proc/self/mounts');
  },
};
