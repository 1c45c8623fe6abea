import { always, type Recipe } from '../recipe.ts';

/**
 * Two machines with one identity get one DHCP lease and one another's journals. An empty file is filled at the first boot,
 * without the other effects of a first boot (machine-id(5), "First Boot Semantics").
 */
export const machineId: Recipe = {
  name: 'machine-id',
  summary: 'empties the machine ID: the clone gets its own',
  appliesTo: always,
  apply: (draft) => {
    draft.edit('/etc/machine-id', () => '');
    // dbus-uuidgen(1) writes a new one where there is none, and an empty one stops it.
    if (draft.target('/var/lib/dbus/machine-id') === undefined) draft.remove('/var/lib/dbus/machine-id');
  },
};
