/**
 * The remote commands of the lease. Its state is one folder with a fixed name, made by `mkdir`: that is atomic, fails
 * on a link that somebody put there, and so serves as the lock between two runs. Root's own, mode 0700.
 */
import { dirname } from 'node:path';
import { quote, quoteAll } from '../ssh/quote.ts';
import type { RemoteCommand } from '../ssh/session.ts';
import { WATCHDOG_END } from './watchdog.ts';

/** Where a lease keeps its state on a source. */
export interface LeasePlace {
  /** The first of these that is a folder one may write to holds the lock. */
  readonly folders: readonly string[];
  /** What a watchdog did that had to act, for the next run to tell. In a folder that only root may write to. */
  readonly logFile: string;
}

export const LEASE_PLACE: LeasePlace = {
  folders: ['/run', '/var/run', '/tmp'],
  logFile: '/var/lib/p2c-lease.log',
};

/** Answers of the lease's commands, beside 0. */
export const LeaseExit = {
  noPlace: 90,
  notOurs: 91,
  expired: 92,
  noWatchdog: 93,
  owing: 94,
  truncated: 95,
} as const;

/** Finds the folder and defines what the other scripts use. `p2c_alive`: the pid is that of a watchdog of this lock. */
export function prelude(place: LeasePlace): string {
  return `umask 077
lock=
for folder in ${quoteAll(place.folders)}; do
  if [ -d "$folder" ] && [ -w "$folder" ]; then
    lock=$folder/p2c.lease
    break
  fi
done
if [ -z "$lock" ]; then
  echo "no folder for the lease's lock can be written: "${quote(place.folders.join(', '))} >&2
  exit ${LeaseExit.noPlace}
fi
p2c_alive() {
  pid=$(cat "$lock/pid" 2>/dev/null)
  case $pid in '' | *[!0-9]*) return 1 ;; esac
  tr '\\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -e "$lock/watchdog.sh"
} 2>/dev/null
p2c_nap() {
  sleep 0.1 2>/dev/null || sleep 1
}
`;
}

export function ours(token: string): string {
  return `if [ -L "$lock" ] || [ "$(cat "$lock/token" 2>/dev/null)" != ${quote(token)} ]; then exit ${LeaseExit.notOurs}; fi
`;
}

/** `setsid` where there is one: then no hang-up reaches the watchdog. */
const LAUNCH = `p2c_launch() {
  rm -f "$lock/pid"
  if command -v setsid >/dev/null 2>&1; then
    setsid sh "$lock/watchdog.sh" "$1" >/dev/null 2>&1 </dev/null &
  else
    nohup sh "$lock/watchdog.sh" "$1" >/dev/null 2>&1 </dev/null &
  fi
  tries=0
  while [ "$tries" -lt 50 ]; do
    if p2c_alive; then return 0; fi
    p2c_nap
    tries=$((tries + 1))
  done
  return 1
}
`;

/**
 * Read-only. Prints `free`, `foreign`, `held`, `stale`, then `lock PATH`, `holder …`, `owed NAME` and `log …` lines. A
 * lock without a pid may be one that is just being made, so it is looked at again for three seconds.
 */
export function lookCommand(place: LeasePlace): RemoteCommand {
  return {
    purpose: 'look for the lease of another run',
    script: `${prelude(place)}if [ -L "$lock" ]; then
  echo foreign
elif [ ! -e "$lock" ]; then
  echo free
elif [ ! -d "$lock" ] || [ ! -O "$lock" ]; then
  echo foreign
else
  tries=0
  while [ ! -s "$lock/pid" ] && [ -d "$lock" ] && [ "$tries" -lt 3 ]; do
    sleep 1
    tries=$((tries + 1))
  done
  if p2c_alive; then echo held; elif [ -d "$lock" ]; then echo stale; else echo free; fi
  sed 's/^/holder /' "$lock/holder" 2>/dev/null
  for file in "$lock"/owed.*; do
    if [ -f "$file" ]; then sed 's/^/owed /' "$file"; fi
  done
fi
echo "lock $lock"
log=${quote(place.logFile)}
if [ -f "$log" ] && [ ! -L "$log" ] && [ -O "$log" ]; then tail -c 16384 "$log" | sed 's/^/log /'; fi
`,
    timeoutMs: 30_000,
    maxOutputBytes: 256 * 1024,
  };
}

/** The folder keeps its time: p2c must not be what a capture of the server differs by. */
function removeLog(logFile: string): string {
  const log = quote(logFile);
  const folder = quote(dirname(logFile));
  return `if [ -e ${log} ] || [ -L ${log} ]; then
  touch -r ${folder} "$lock/stamp" 2>/dev/null
  rm -f ${log}
  touch -m -r "$lock/stamp" ${folder} 2>/dev/null
fi
`;
}

/** Takes the lock, writes the watchdog (from standard input) and starts it. Answers notOurs where another run was quicker. */
export function beginCommand(place: LeasePlace, token: string, holder: string, watchdog: string): RemoteCommand {
  return {
    purpose: 'lease: leave a watchdog that starts the applications again should p2c go away',
    script: `${prelude(place)}${LAUNCH}if ! mkdir -m 700 "$lock"; then
  # The second run of this command, after a link was lost: the first went through.
  if [ ! -L "$lock" ] && [ "$(cat "$lock/token" 2>/dev/null)" = ${quote(token)} ] && p2c_alive; then exit 0; fi
  exit ${LeaseExit.notOurs}
fi
cat >"$lock/watchdog.sh"
if [ "$(tail -n 1 "$lock/watchdog.sh")" != ${quote(WATCHDOG_END)} ]; then
  rm -rf "$lock"
  exit ${LeaseExit.truncated}
fi
echo "since $(date -u '+%Y-%m-%dT%H:%M:%SZ') by "${quote(holder)} >"$lock/holder"
echo 0 >"$lock/counter"
echo ${quote(token)} >"$lock/token"
${removeLog(place.logFile)}if ! p2c_launch watch; then
  rm -rf "$lock"
  exit ${LeaseExit.noWatchdog}
fi
`,
    input: [Buffer.from(watchdog, 'utf8')],
    timeoutMs: 60_000,
    changesSource: true,
    repeatable: true,
  };
}

/** The counter is written before `expired` is looked at, and the watchdog does it the other way round: one sees the other. */
export function renewCommand(place: LeasePlace, token: string, count: number, timeoutMs: number): RemoteCommand {
  return {
    purpose: 'lease: renew',
    script: `${prelude(place)}${ours(token)}echo ${count} >"$lock/counter"
if [ -e "$lock/expired" ]; then exit ${LeaseExit.expired}; fi
if ! p2c_alive; then exit ${LeaseExit.noWatchdog}; fi
`,
    timeoutMs,
    changesSource: true,
    repeatable: true,
  };
}

/**
 * Lets a watchdog act before its lease has run out: for a run that is over, nobody renews it.
 * @param holder whose lease was seen: by now, another run may have one.
 */
export function hurryCommand(place: LeasePlace, holder: string): RemoteCommand {
  return {
    purpose: 'lease: have the watchdog of a run that is over start what it stopped',
    script: `${prelude(place)}if [ -L "$lock" ] || [ ! -O "$lock" ]; then exit ${LeaseExit.notOurs}; fi
if [ "$(cat "$lock/holder" 2>/dev/null)" != ${quote(holder)} ]; then exit ${LeaseExit.notOurs}; fi
: >"$lock/now"
`,
    changesSource: true,
    repeatable: true,
  };
}

/** Starts the watchdog anew where it is gone, unless a hand-back ended it: somebody killed it. */
export function relaunchCommand(place: LeasePlace, token: string): RemoteCommand {
  return {
    purpose: 'lease: start the watchdog again',
    script: `${prelude(place)}${LAUNCH}${ours(token)}if [ -e "$lock/handback" ] || p2c_alive; then exit 0; fi
if ! p2c_launch watch; then exit ${LeaseExit.noWatchdog}; fi
`,
    changesSource: true,
    repeatable: true,
  };
}

/** Takes over a lock whose watchdog is gone: what it owes is started, by its own script; one that owes nothing is removed. */
export function recoverCommand(place: LeasePlace): RemoteCommand {
  return {
    purpose: 'lease: start what an earlier run left stopped',
    script: `${prelude(place)}${LAUNCH}if [ -L "$lock" ] || [ ! -O "$lock" ] || p2c_alive; then exit ${LeaseExit.notOurs}; fi
owing=
for file in "$lock"/owed.*; do
  if [ -f "$file" ]; then owing=1; fi
done
if [ -z "$owing" ]; then
  rm -rf "$lock"
  exit 0
fi
if [ "$(tail -n 1 "$lock/watchdog.sh" 2>/dev/null)" != ${quote(WATCHDOG_END)} ]; then exit ${LeaseExit.truncated}; fi
if ! p2c_launch recover; then [ ! -e "$lock" ] || exit ${LeaseExit.noWatchdog}; fi
`,
    changesSource: true,
  };
}

/**
 * Ends the watchdog and removes everything of the lease. Refused where an application is still owed its start, unless it
 * is to stay stopped; where a watchdog acted, its log is there, for a lease begins with none.
 */
export function handBackCommand(place: LeasePlace, token: string, owed: 'refuse' | 'leave' = 'refuse'): RemoteCommand {
  const gone = owed === 'refuse' ? 'exit 0' : `[ -s ${quote(place.logFile)} ] && exit ${LeaseExit.expired}; exit 0`;
  const refusal = `for file in "$lock"/owed.*; do
  if [ -f "$file" ]; then exit ${LeaseExit.owing}; fi
done
`;
  return {
    purpose: owed === 'refuse' ? 'lease: hand back' : 'lease: hand back, and leave the applications stopped',
    script: `${prelude(place)}if [ ! -e "$lock" ]; then ${gone}; fi
${ours(token)}${owed === 'refuse' ? refusal : ''}if [ -e "$lock/expired" ]; then exit ${LeaseExit.expired}; fi
: >"$lock/handback"
if p2c_alive; then kill -TERM "$pid"; fi
tries=0
while p2c_alive && [ "$tries" -lt 100 ]; do
  p2c_nap
  tries=$((tries + 1))
done
rm -rf "$lock"
`,
    timeoutMs: 120_000,
    changesSource: true,
    repeatable: true,
  };
}

/** Notes that an application runs again: the watchdog owes it nothing any more. */
export function settleCommand(place: LeasePlace, token: string, number: number): RemoteCommand {
  return {
    purpose: 'lease: note that an application runs again',
    script: `${prelude(place)}${ours(token)}rm -f "$lock/owed.${number}"
`,
    changesSource: true,
    repeatable: true,
  };
}
