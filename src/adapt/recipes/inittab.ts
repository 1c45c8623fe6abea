import type { Draft } from '../draft.ts';
import { addLines, commentOut } from '../lines.ts';
import { hasInit, type Recipe } from '../recipe.ts';
import type { System } from '../system.ts';

/**
 * What init does by itself (inittab(5)): no gettys on terminals that are not there, one on the console, and a power
 * failure, which is how the runner asks for a shutdown (SIGPWR, init(8)), ends the system at once.
 */
export const inittab: Recipe = {
  name: 'inittab',
  summary: 'gives init one console and lets it shut down when the runner asks',
  appliesTo: hasInit('sysvinit'),
  apply: (draft, system) =>
    draft.edit('/etc/inittab', (text) => {
      const without = commentOut(text, (line) => !isOurs(line) && (isTerminal(line) || isPower(line)));
      return addLines(withoutDisplay(without, system), [powerfail(system), console(draft, system)]);
    }),
};

const CONSOLE = 'p2co';
const POWER = 'p2pf';

function isOurs(line: string): boolean {
  return line.startsWith(`${CONSOLE}:`) || line.startsWith(`${POWER}:`);
}

function isTerminal(line: string): boolean {
  return /^[^:]*:[^:]*:(?:respawn|once|ondemand):/.test(line) && /getty|prefdm|vtxdm|\/sulogin/.test(line);
}

function isPower(line: string): boolean {
  return /^[^:]*:[^:]*:power(?:fail|failnow|wait|okwait):/.test(line);
}

/** Runlevel 5 of Red Hat and SUSE is 3 with a display. */
function withoutDisplay(text: string, { distribution }: System): string {
  return distribution === 'el' || distribution === 'sles'
    ? text.replace(/^id:5:initdefault:/m, 'id:3:initdefault:')
    : text;
}

function powerfail({ distribution }: System): string {
  return `${POWER}::powerfail:${distribution === 'el' ? '/sbin/shutdown -h now' : '/sbin/init 0'}`;
}

/** A virtual terminal is hung up before it is used, which a container may not do (mingetty(8)). */
function console(draft: Draft, { distribution }: System): string {
  const mingetty = draft.kind('/sbin/mingetty') !== undefined;
  const hangup = distribution === 'el' ? ' --nohangup' : '';
  const getty = draft.kind('/sbin/getty') === undefined ? '/sbin/agetty' : '/sbin/getty';
  return `${CONSOLE}:2345:respawn:${mingetty ? `/sbin/mingetty${hangup}` : `${getty} 38400`} console`;
}
