/** Starts and stops a service through whatever init system a server has: systemd, upstart, System V, OpenRC, BSD style. */
import { quoteAll } from '../ssh/quote.ts';

/**
 * A script for sh: the first of the names that the server knows is started or stopped. Exit code 127 where it knows none.
 * systemd is in charge where /run/systemd/system is a directory (sd_booted(3)).
 */
export function serviceScript(names: readonly string[], action: 'start' | 'stop'): string {
  return `for name in ${quoteAll(names)}; do
  if [ -d /run/systemd/system ]; then
    if [ "$(systemctl show -p LoadState "$name.service" 2>/dev/null)" = LoadState=loaded ]; then
      exec systemctl ${action} "$name.service"
    fi
  fi
  if [ -x "/etc/init.d/$name" ] || [ -f "/etc/init/$name.conf" ]; then
    if command -v service >/dev/null 2>&1; then exec service "$name" ${action}; fi
    if [ -x "/etc/init.d/$name" ]; then exec "/etc/init.d/$name" ${action}; fi
    exec initctl ${action} "$name"
  fi
  for script in "/etc/rc.d/$name" "/etc/rc.d/rc.$name" /etc/init.d/S[0-9][0-9]"$name"; do
    if [ -x "$script" ]; then exec "$script" ${action}; fi
  done
done
echo "this server has no service named" ${quoteAll(names)} >&2
exit 127`;
}

/**
 * Read-only. Prints `INDEX NAME` for each list of names: the first that {@link serviceScript} would act on; nothing for a
 * list of which the server knows none.
 */
export function knownServicesScript(lists: readonly (readonly string[])[]): string {
  const asked = lists.map(
    (names, index) => `for name in ${quoteAll(names)}; do
  if p2c_knows "$name"; then
    echo "${index} $name"
    break
  fi
done`,
  );
  return `p2c_knows() {
  if [ -d /run/systemd/system ] && [ "$(systemctl show -p LoadState "$1.service" 2>/dev/null)" = LoadState=loaded ]; then
    return 0
  fi
  if [ -x "/etc/init.d/$1" ] || [ -f "/etc/init/$1.conf" ]; then return 0; fi
  for script in "/etc/rc.d/$1" "/etc/rc.d/rc.$1" /etc/init.d/S[0-9][0-9]"$1"; do
    if [ -x "$script" ]; then return 0; fi
  done
  return 1
}
${asked.join('\n')}
exit 0`;
}
