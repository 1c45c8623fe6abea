import { assign } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';
import { maskUnits } from './systemd-units.ts';

/**
 * The files of /tmp were captured and may be needed; a container starts as often as a process does (tmpfiles.d(5),
 * rcS(5) of Debian, "TMPTIME" and tmpfs(5), "RAMTMP"; sysconfig/cron of SUSE).
 */
export const tmpKept: Recipe = {
  name: 'tmp-kept',
  summary: 'keeps what is in /tmp over a boot',
  appliesTo: always,
  apply: (draft, { init }) => {
    draft.edit('/etc/default/rcS', (text) => assign(text, 'TMPTIME', '-1'));
    draft.edit('/etc/default/tmpfs', (text) => assign(text, 'RAMTMP', 'no'));
    draft.edit('/etc/sysconfig/cron', (text) => assign(text, 'CLEAR_TMP_DIRS_AT_BOOTUP', '"no"'));
    if (init !== 'systemd') return;
    // In place of the file of this name in /usr/lib/tmpfiles.d: the folders, and no age.
    draft.write('/etc/tmpfiles.d/tmp.conf', 'd /tmp 1777 root root -\nd /var/tmp 1777 root root -\n');
    maskUnits(draft, ['tmp.mount']);
  },
};
