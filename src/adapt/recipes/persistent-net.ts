import { always, type Recipe } from '../recipe.ts';

/** Rules that tie an interface's name to the old server's hardware would rename the container's. */
const RULES = /persistent-net(?:-generator)?\.rules$|^30-net_persistent_names\.rules$/;

export const persistentNet: Recipe = {
  name: 'persistent-net',
  summary: "forgets the old server's network cards",
  appliesTo: always,
  apply: (draft) => {
    for (const path of draft.matching('/etc/udev/rules.d', RULES)) draft.remove(path);
  },
};
