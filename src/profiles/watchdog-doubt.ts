/** What the watchdog does where a stop may yet take effect: it may have told the application to end before it was ended. */
import { LEFT_FUNCTION } from './left.ts';

/**
 * `p2c_start_one NUMBER` starts an application where that is needed. What of it is seen up then counts at once where its stop
 * is known to be over: none of its processes is left, or p2c saw it down (`before.N` is gone). Else it goes to
 * `p2c_doubtful`, and `p2c_watch_doubtful` looks at it for as long as its stop was to take, once all others are started.
 * `p2c_again` is set where it is to be looked at as a whole, `p2c_force` where what is up is no more than what outlived the stop.
 */
export const DOUBT_FUNCTIONS = `${LEFT_FUNCTION}p2c_look_ours() {
  p2c_left=
  if p2c_ours; then p2c_look_left "$1"; fi
}
p2c_settle() {
  if [ -z "$p2c_bad" ]; then rm -f "$lock/owed.$1"; else p2c_failed=1; fi
}
p2c_start_one() {
  p2c_look_ours "$1"
  p2c_force=
  if [ "$p2c_left" = other ]; then p2c_force=1; fi
  p2c_found_up=
  "p2c_application_$1"
  case $p2c_left$p2c_found_up in
  main* | other* | unknown1) p2c_doubtful="$p2c_doubtful $1:$p2c_left:$p2c_bad" ;;
  *) p2c_settle "$1" ;;
  esac
}
p2c_watch() {
  p2c_say "$(cat "$lock/owed.$1" 2>/dev/null): its stop may yet take effect: watched for $2 s"
  p2c_watched=0
  while :; do
    p2c_look_ours "$1"
    p2c_again=
    p2c_force=
    if [ "$p2c_left" = other ] && [ "$p2c_before" != other ]; then
      p2c_again=1
      p2c_force=1
    elif [ "$p2c_before" = main ] && [ "$p2c_left" != main ]; then
      p2c_again=1
    elif "p2c_missing_$1"; then
      p2c_again=1
    fi
    p2c_before=$p2c_left
    if [ -n "$p2c_again" ]; then
      "p2c_application_$1"
      if [ "$p2c_left" = none ]; then break; fi
    fi
    if [ "$p2c_watched" -ge "$2" ]; then break; fi
    p2c_sleep 2
    p2c_watched=$((p2c_watched + 2))
  done
  p2c_settle "$1"
}
p2c_watch_doubtful() {
  for p2c_item in $p2c_doubtful; do
    p2c_before=\${p2c_item#*:}
    p2c_bad=\${p2c_before#*:}
    p2c_before=\${p2c_before%%:*}
    "p2c_watch_\${p2c_item%%:*}"
  done
}
`;
