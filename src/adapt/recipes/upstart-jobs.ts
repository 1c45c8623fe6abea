/** Jobs that every upstart gets, under names of p2c's own: a job that an administrator wrote is not written over (init(5)). */
import type { Draft } from '../draft.ts';
import { commentOut } from '../lines.ts';

const FOLDER = '/etc/init';
const CONSOLE = `${FOLDER}/p2c-console.conf`;
const LOGIN_ON_CONSOLE = /^\s*exec\s.*getty\b.*\bconsole\b/m;

/** upstart emits this event where it gets SIGPWR: how the runner asks for a shutdown (init(8) of upstart). */
export function shutdownWhenAsked(draft: Draft): void {
  draft.write(
    `${FOLDER}/p2c-power.conf`,
    `# Made by p2c: the runner asks for a shutdown by the signal of a power failure.
start on power-status-changed
exec /sbin/init 0
`,
  );
}

/** @param getty what asks for a name on the console, in place of jobs that do: two would take each other's input. */
export function oneConsole(draft: Draft, getty: string): void {
  for (const path of draft.matching(FOLDER, /\.conf$/)) {
    if (path === CONSOLE) continue;
    draft.edit(path, (text) => (LOGIN_ON_CONSOLE.test(text) ? commentOut(text, () => true) : text));
  }
  draft.write(
    CONSOLE,
    `# Made by p2c: one login on the container's console.
start on stopped rc RUNLEVEL=[2345]
stop on runlevel [!2345]
respawn
exec ${getty}
`,
  );
}
