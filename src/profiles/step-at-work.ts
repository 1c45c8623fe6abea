/**
 * A stop step that outlives whoever waits for it would take its application down after that was started again; a start
 * step that does may be sent a second time on top of itself. So a step notes its process in the lease's folder. Who gives a
 * stop up (p2c at its limit, the watchdog when the lease runs out) ends it with all that descends from it: a group or
 * session of its own would not do, for `su` leaves both. Who gives a start up looks whether it is at work before another.
 */
import { quote } from '../ssh/quote.ts';
/** What a stop is called in its lease's folder: one at a time is at work. */
export const STOP_AT_WORK = 'step';

/** What a start of the application of this number is called there. */
export function startAtWork(number: number): string {
  return `start.${number}`;
}

/**
 * Shell text that runs the line under a shell of its own, which notes its number. What is run lies in a subshell, so that
 * an `exec` in it does not replace the shell whose command line shows whose it is.
 */
export function runNoted(line: string, name: string): string {
  const script = `echo $$ >"$1/${name}.pid"
umask 022
cd /
(
${line}
)
exit $?`;
  return `sh -c ${quote(script)} "$lock/${name}" "$lock" >"$output" 2>&1 </dev/null
code=$?
rm -f "$lock/${name}.pid"`;
}

/** Defines `p2c_at_work NAME`, true where the step of this name has not ended. `$lock` is the lease's folder. */
export const AT_WORK_FUNCTION = `p2c_at_work() {
  p2c_top=$(cat "$lock/$1.pid" 2>/dev/null)
  case $p2c_top in '' | *[!0-9]*) return 1 ;; esac
  tr '\\0' ' ' 2>/dev/null <"/proc/$p2c_top/cmdline" | grep -qF -e "$lock/$1 "
} 2>/dev/null
`;

/**
 * Defines `p2c_end_step`, true where a step was still at work. It reads the parents from /proc, for `ps` differs from
 * system to system; `kill` is written in the form that every sh takes. Needs {@link AT_WORK_FUNCTION}.
 */
export const END_STEP_FUNCTIONS = `p2c_tree() {
  p2c_found=$1
  p2c_more=1
  while [ -n "$p2c_more" ]; do
    p2c_more=
    for p2c_stat in /proc/[0-9]*/stat; do
      read -r p2c_line <"$p2c_stat" || continue
      p2c_rest=\${p2c_line##*) }
      p2c_rest=\${p2c_rest#* }
      case " $p2c_found " in
      *" \${p2c_line%% *} "*) ;;
      *" \${p2c_rest%% *} "*) p2c_found="$p2c_found \${p2c_line%% *}"; p2c_more=1 ;;
      esac
    done
  done
} 2>/dev/null
p2c_end_step() {
  p2c_at_work ${STOP_AT_WORK} || return 1
  rm -f "$lock/${STOP_AT_WORK}.pid"
  p2c_tree "$p2c_top"
  kill -TERM $p2c_found 2>/dev/null
  sleep 2
  p2c_left=$p2c_found
  p2c_tree "$p2c_top"
  kill -KILL $p2c_left $p2c_found 2>/dev/null
  return 0
}
`;
