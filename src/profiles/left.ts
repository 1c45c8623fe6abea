/**
 * What is left of the processes that an application had before its stop. That one of them is there says little: a job of a
 * cron that was stopped has the daemon's name. So those that none of the others is the parent of are told apart.
 */
import type { RemoteCommand } from '../ssh/session.ts';
import { LeaseExit, type LeasePlace, ours, prelude } from './lease-scripts.ts';

/**
 * `main`: a process that the others descend from, so the stop has not taken effect. `other`: only such as outlived it.
 * `unknown`: nothing is checked that is a process, or the stop was not sent.
 */
export type Left = 'main' | 'other' | 'none' | 'unknown';

/** Sets `p2c_mark` to number and start of a living process (proc(5): field 22), which are no other's, and `p2c_parent`. */
const MARK_FUNCTION = `p2c_mark_of() {
  read -r p2c_line <"/proc/$1/stat" || return 1
  set -- "$1" \${p2c_line##*) }
  case $2 in [ZXx]) return 1 ;; esac
  p2c_parent=$3
  p2c_mark=$1/\${21}
} 2>/dev/null
`;

/**
 * Shell text that takes the numbers of processes from standard input: so the text is that of the dry run. It goes before all
 * else, for it waits; where the link is cut meanwhile, no whole line comes, and nothing is done.
 */
export function takeProcesses(): string {
  return `read -r p2c_all || exit ${LeaseExit.notOurs}
`;
}

/** What {@link takeProcesses} takes. */
export function processLine(pids: readonly number[]): Buffer {
  return Buffer.from(`${pids.join(' ')}\n`);
}

/** Shell text that notes them in the lease's folder. What was noted before a stop was sent for the first time stays. */
export function noteProcesses(number: number): string {
  return `${MARK_FUNCTION}p2c_all=" $p2c_all "
: >>"$lock/before.${number}"
for p2c_pid in $p2c_all; do
  if ! p2c_mark_of "$p2c_pid"; then continue; fi
  case $p2c_all in *" $p2c_parent "*) p2c_kind=other ;; *) p2c_kind=main ;; esac
  if ! grep -q " $p2c_mark\\$" "$lock/before.${number}"; then
    echo "$p2c_kind $p2c_mark" >>"$lock/before.${number}"
  fi
done
`;
}

/** Defines `p2c_look_left NUMBER`, which sets `p2c_left` to a {@link Left}, or to nothing where nothing was noted. */
export const LEFT_FUNCTION = `${MARK_FUNCTION}p2c_look_left() {
  p2c_left=
  if [ ! -f "$lock/before.$1" ]; then return; fi
  p2c_left=unknown
  while read -r p2c_kind p2c_was; do
    if [ "$p2c_left" = unknown ]; then p2c_left=none; fi
    p2c_mark_of "\${p2c_was%%/*}" && [ "$p2c_mark" = "$p2c_was" ] || continue
    p2c_left=$p2c_kind
    if [ "$p2c_kind" = main ]; then break; fi
  done <"$lock/before.$1"
}
`;

export function leftCommand(place: LeasePlace, token: string, name: string, number: number): RemoteCommand {
  return {
    purpose: `see what is left of ${name}`,
    script: `${prelude(place)}${ours(token)}${LEFT_FUNCTION}p2c_look_left ${number}
echo "$p2c_left"
`,
  };
}

export function parseLeft(stdout: Buffer): Left {
  const word = stdout.toString('latin1').trim();
  return (['main', 'other', 'none'] as const).find((known) => known === word) ?? 'unknown';
}
