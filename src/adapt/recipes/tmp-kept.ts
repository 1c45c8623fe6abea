import type { Draft } from '../draft.ts';
import { assign } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';
import { withFolders, withoutCleaning } from '../tmpfiles.ts';
import { maskUnits } from './mask-units.ts';

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
    tmpfiles(draft);
    maskUnits(draft, ['tmp.mount']);
  },
};

const FOLDER = '/etc/tmpfiles.d';
/** In place of the file of this name in /usr/lib/tmpfiles.d, which cleans. */
const OURS = `${FOLDER}/tmp.conf`;

/** What an administrator wrote there for other folders stays in force. */
function tmpfiles(draft: Draft): void {
  for (const path of draft.matching(FOLDER, /\.conf$/)) draft.edit(path, withoutCleaning);
  // A link to /dev/null is how an administrator switches the file of the system off: then nothing cleans.
  if (draft.target(OURS) !== '/dev/null') draft.write(OURS, withFolders(draft.text(OURS) ?? ''));
}
