/** How the watchdog carries out a start step, where that is needed: bounded in time, and seen up before it counts. */

/**
 * An asynchronous command of a shell without job control ignores SIGINT and SIGQUIT (POSIX XCU 2.11), and so would
 * every daemon started from here; `p2c_clean` undoes this with the first program that can. `kill -0` of a child sees
 * it until it was waited for, which the `wait` in `p2c_sleep` does. Most commands are done in less than a second, which
 * is waited for in parts where `sleep` takes fractions (POSIX has whole seconds only). A start step that outlives its limit is left
 * alone, and not run a second time: it may be the application. One that p2c sent and that is at work is waited for first.
 * Two looks in a row must find it up, the second also where the limit is over by then.
 */
export const STEP_FUNCTIONS = `
p2c_clean=
if env --default-signal=INT,QUIT true 2>/dev/null; then
  p2c_clean='env --default-signal=INT,QUIT'
elif perl -e 1 2>/dev/null; then
  p2c_clean='perl -e $SIG{INT}=$SIG{QUIT}="DEFAULT";exec(@ARGV)'
fi
p2c_brief=
if sleep 0.1 2>/dev/null; then p2c_brief=0.1; fi
p2c_bounded() {
  (umask 022; "$2") >"$p2c_output" 2>&1 </dev/null &
  p2c_child=$!
  for p2c_look in 1 2 3 4 5 6 7 8 9; do
    if [ -z "$p2c_brief" ] || ! kill -0 "$p2c_child" 2>/dev/null; then break; fi
    p2c_sleep "$p2c_brief"
  done
  p2c_waited=0
  while kill -0 "$p2c_child" 2>/dev/null; do
    if [ "$p2c_waited" -ge "$1" ]; then return 124; fi
    p2c_sleep 1
    p2c_waited=$((p2c_waited + 1))
  done
  wait "$p2c_child"
}
p2c_is_up() {
  p2c_seconds=1
  p2c_good=0
  while [ "$p2c_seconds" -le "$1" ] || [ "$p2c_good" -gt 0 ]; do
    if p2c_bounded 30 "$2"; then p2c_good=$((p2c_good + 1)); else p2c_good=0; fi
    if [ "$p2c_good" -ge 2 ]; then return 0; fi
    p2c_sleep 1
    p2c_seconds=$((p2c_seconds + 2))
  done
  return 1
}
p2c_wait_for_start() {
  p2c_say "a start that p2c sent is still at work: waiting for it"
  p2c_patience=$2
  while p2c_at_work "start.$1" && [ "$p2c_patience" -gt 0 ]; do
    if [ "$3" = none ]; then p2c_sleep 1; elif p2c_is_up 3 "$3"; then return 0; fi
    p2c_patience=$((p2c_patience - 2))
  done
  [ "$3" != none ] && p2c_is_up "$2" "$3"
}
p2c_step() {
  if [ -z "$p2c_force" ] && [ "$4" != none ] && p2c_is_up 3 "$4"; then
    p2c_found_up=1
    p2c_say "$1: not needed, it is up"
    return 0
  fi
  if p2c_at_work "start.$5"; then
    if p2c_wait_for_start "$5" "$2" "$4"; then
      p2c_say "$1: it is up"
      return 0
    fi
    if p2c_at_work "start.$5"; then
      p2c_say "$1: FAILED, and not run again: what p2c sent is still at work"
      return 1
    fi
  fi
  for p2c_attempt in 1 2 3; do
    p2c_bounded "$2" "$3"
    p2c_code=$?
    p2c_started=$p2c_child
    if [ "$p2c_code" = 124 ] && kill -0 "$p2c_started" 2>/dev/null; then
      p2c_say "$1: did not end within $2 s"
    else
      p2c_say "$1: exit code $p2c_code"
    fi
    tail -c 1024 "$p2c_output" 2>/dev/null | sed 's/^/    /' >>"$log" 2>/dev/null
    if [ "$4" = none ]; then
      if [ "$p2c_code" = 0 ]; then return 0; fi
    elif p2c_is_up "$2" "$4"; then
      p2c_say "$1: it is up"
      return 0
    fi
    p2c_sleep 2
    if [ "$p2c_code" = 124 ] && kill -0 "$p2c_started" 2>/dev/null; then
      p2c_say "$1: FAILED, and not run again: it is still at work"
      return 1
    fi
  done
  p2c_say "$1: FAILED"
  return 1
}
`;
