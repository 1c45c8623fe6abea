/**
 * The watchdog that p2c leaves on a source while applications are stopped: a small sh script that starts them again
 * when p2c does not renew its lease. It needs no clock, no `stat`, no `timeout`: it counts its own sleeps.
 */
import { quote } from '../ssh/quote.ts';
import { CHECK_FUNCTIONS } from './checks.ts';
import { AT_WORK_FUNCTION, END_STEP_FUNCTIONS } from './step-at-work.ts';
import { DOUBT_FUNCTIONS } from './watchdog-doubt.ts';
import { STEP_FUNCTIONS } from './watchdog-step.ts';

interface WatchedStep {
  readonly purpose: string;
  /** Command line of sh. */
  readonly line: string;
  readonly limitSeconds: number;
  /** Condition of sh that is true once the step took effect; undefined where only the exit code tells. */
  readonly up: string | undefined;
}

export interface WatchedApplication {
  /** Number of its `owed.N` marker. */
  readonly number: number;
  readonly steps: readonly WatchedStep[];
  /** How long its stop may take. */
  readonly stopSeconds: number;
}

export interface WatchdogPlan {
  readonly token: string;
  readonly leaseMs: number;
  readonly logFile: string;
  /** In the order in which they are to be started. */
  readonly applications: readonly WatchedApplication[];
}

/** The script's last line: it shows that the whole of it arrived. */
export const WATCHDOG_END = '# end of the p2c watchdog';

/**
 * The script. `sh LOCK/watchdog.sh watch` waits for the lease to run out; `… recover` starts at once what is owed.
 * Its folder holds: `token`, `holder`, `counter` (renewals), `pid`, `owed.N` (application N is stopped), `before.N` (the
 * processes that it had), `step.pid` (a stop step at work), `start.N.pid` (a start step of application N), `now` (whoever
 * held the lease is gone for sure), `expired`, `handback`, `stamp` (a folder's time).
 */
export function watchdogScript(plan: WatchdogPlan): string {
  const tick = Math.min(5, Math.max(1, Math.floor(plan.leaseMs / 10_000)));
  const ticks = Math.max(1, Math.ceil(plan.leaseMs / 1000 / tick));
  const functions = plan.applications.map(applicationFunctions).join('');
  const runs = plan.applications.map(
    ({ number }) => `  case " $p2c_owed " in *" ${number} "*) p2c_start_one ${number} ;; esac`,
  );
  return `# Left by p2c while it copies this server: starts the applications that p2c stopped, should p2c go away.
lock=\${0%/*}
token=${quote(plan.token)}
log=${quote(plan.logFile)}
tick=${tick}
ticks=${ticks}
all='${plan.applications.map(({ number }) => number).join(' ')}'
${CHECK_FUNCTIONS}${AT_WORK_FUNCTION}${END_STEP_FUNCTIONS}${STEP_FUNCTIONS}${WATCH_FUNCTIONS}${DOUBT_FUNCTIONS}${functions}
p2c_start_owed() {
${runs.length === 0 ? '  :' : runs.join('\n')}
  p2c_watch_doubtful
}
p2c_main "$1"
exit 0
${WATCHDOG_END}
`;
}

function applicationFunctions({ number, steps, stopSeconds }: WatchedApplication): string {
  const functions = steps.map((step, index) => {
    const up = step.up === undefined ? '' : `p2c_up_${number}_${index}() {\n  ${step.up}\n}\n`;
    return `p2c_run_${number}_${index}() {\n  $p2c_clean ${step.line}\n}\n${up}`;
  });
  const calls = steps.map((step, index) => {
    const up = step.up === undefined ? 'none' : `p2c_up_${number}_${index}`;
    return `  p2c_step ${quote(step.purpose)} ${step.limitSeconds} p2c_run_${number}_${index} ${up} ${number} || p2c_bad=1`;
  });
  const looks = steps.flatMap(({ up }, index) =>
    up === undefined ? [] : [`  p2c_bounded 30 p2c_up_${number}_${index} || return 0\n`],
  );
  return `${functions.join('')}p2c_application_${number}() {
  p2c_bad=
${calls.join('\n')}
}
p2c_missing_${number}() {
${looks.join('')}  return 1
}
p2c_watch_${number}() {
  p2c_watch ${number} ${stopSeconds}
}
`;
}

/** Where the lease's folder is gone nothing tells what is owed, and all is looked at. */
const WATCH_FUNCTIONS = `p2c_say() {
  if [ ! -e "$log" ]; then
    touch -r "\${log%/*}" "$lock/stamp" && : >>"$log" && touch -m -r "$lock/stamp" "\${log%/*}"
  fi
  echo "$(date -u '+%Y-%m-%dT%H:%M:%SZ' 2>/dev/null) $*" >>"$log"
} 2>/dev/null
p2c_sleep() {
  sleep "$1" &
  p2c_nap=$!
  wait "$p2c_nap"
  p2c_nap=
}
p2c_ours() {
  [ "$(cat "$lock/token" 2>/dev/null)" = "$token" ]
}
p2c_list_owed() {
  for p2c_file in "$lock"/owed.*; do
    if [ -e "$p2c_file" ]; then echo "\${p2c_file##*.}"; fi
  done
}
p2c_on_term() {
  if [ -e "$lock/handback" ]; then
    if [ -n "$p2c_nap" ]; then kill "$p2c_nap" 2>/dev/null; fi
    exit 0
  fi
}
p2c_wait_for_expiry() {
  p2c_seen=
  p2c_idle=0
  while :; do
    p2c_sleep "$tick"
    if ! p2c_ours; then return; fi
    if [ -e "$lock/handback" ]; then
      rm -rf "$lock"
      exit 0
    fi
    if [ -e "$lock/now" ]; then
      : >"$lock/expired"
      return
    fi
    p2c_count=$(cat "$lock/counter" 2>/dev/null)
    if [ "$p2c_count" = "$p2c_seen" ]; then p2c_idle=$((p2c_idle + 1)); else p2c_idle=0; fi
    p2c_seen=$p2c_count
    if [ "$p2c_idle" -ge "$ticks" ]; then
      : >"$lock/expired"
      if [ "$(cat "$lock/counter" 2>/dev/null)" = "$p2c_seen" ]; then return; fi
      rm -f "$lock/expired"
    fi
  done
}
p2c_main() {
  cd / || exit 1
  umask 077
  p2c_owed=
  p2c_failed=
  p2c_doubtful=
  p2c_nap=
  trap : HUP
  trap p2c_on_term TERM
  echo $$ >"$lock/pid"
  if [ "$1" = watch ]; then p2c_wait_for_expiry; fi
  if p2c_ours; then
    p2c_owed=$(p2c_list_owed)
    p2c_output=$lock/output
  else
    p2c_owed=$all
    p2c_output=/dev/null
  fi
  p2c_owed=$(echo $p2c_owed)
  if [ -n "$p2c_owed" ]; then
    p2c_say "no sign of p2c: starting what it had stopped"
    if p2c_end_step; then p2c_say "a stop step was still at work: ended"; fi
    p2c_start_owed
  fi
  if [ -z "$p2c_failed" ] && p2c_ours; then
    rm -f "$lock/token"
    rm -rf "$lock"
  fi
}
`;
