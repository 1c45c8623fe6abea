import { commentOut } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';

/** The runner sets the host's name and writes /etc/hostname, hosts and resolv.conf; no script may undo it. */
export const hostname: Recipe = {
  name: 'hostname',
  summary: "leaves the host's name and the name servers to the runner",
  appliesTo: always,
  apply: (draft, { distribution }) => {
    // rc.sysinit of EL 4 to 6 keeps the name that the kernel has, unless this file gives one.
    draft.edit('/etc/sysconfig/network', (text) =>
      commentOut(text, (line) => /^\s*(?:export\s+)?HOSTNAME=/.test(line)),
    );
    // boot.localnet of SLES 11 reads this one. Where /etc/hostname leads to it, both are the runner's already.
    const isOne = draft.real('/etc/hostname') === draft.real('/etc/HOSTNAME');
    if (distribution === 'sles' && !isOne && draft.kind('/etc/HOSTNAME') === 'file') {
      draft.link('/etc/HOSTNAME', 'hostname');
    }
    // A link to a service's file in /run leads nowhere before that service runs: the runner needs a file to lie on.
    if (draft.target('/etc/resolv.conf') !== undefined) {
      draft.remove('/etc/resolv.conf');
      draft.write('/etc/resolv.conf', '');
    }
  },
};
