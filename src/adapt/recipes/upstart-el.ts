import { assign } from '../lines.ts';
import type { Recipe } from '../recipe.ts';
import { oneConsole, shutdownWhenAsked } from './upstart-jobs.ts';

/** Jobs that draw on a screen, read files ahead, or wait for a terminal that is not there. */
const NOT_HERE = /^(?:plymouth-shutdown|quit-plymouth|splash-manager|readahead(?:-\w+)*|start-ttys|tty|serial)\.conf$/;

/** Red Hat's 6 (init(5) of upstart; lxc-templates, "lxc-centos"). */
export const upstartEl: Recipe = {
  name: 'upstart-el',
  summary: "gives Red Hat's upstart one console and lets it shut down when the runner asks",
  appliesTo: ({ distribution, init }) => distribution === 'el' && init === 'upstart',
  apply: (draft) => {
    for (const path of draft.matching('/etc/init', NOT_HERE)) draft.remove(path);
    draft.edit('/etc/sysconfig/init', (text) => assign(assign(text, 'ACTIVE_CONSOLES', '""'), 'GRAPHICAL', 'no'));
    draft.edit('/etc/sysconfig/readahead', (text) => assign(text, 'READAHEAD', '"no"'));
    draft.edit('/etc/inittab', (text) => text.replace(/^id:5:initdefault:/m, 'id:3:initdefault:'));
    shutdownWhenAsked(draft);
    oneConsole(draft, '/sbin/mingetty --nohangup console');
  },
};
