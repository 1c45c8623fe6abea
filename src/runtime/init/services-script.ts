/**
 * The PID 1 of a container whose init does not run: starts the applications of the image's profiles in order, reaps what
 * they leave, and stops them in reverse order when it is asked to. POSIX sh with what every system has, for it runs in
 * the image.
 */
import type { ServiceStep, Services } from '../../oci/services.ts';
import { HELD_FOLDER, heldName } from '../quarantine/hold.ts';

/** Scripts that adaptation left for the boot. */
const BOOT_SCRIPTS = '/etc/p2c/boot.d';

/** By which such a script is known again: in containers of older versions as well, so it stays as it is. */
const OPENING = `
say() { echo "p2c: $*"; }
`;

const FUNCTIONS = `${OPENING}nap() { sleep 0.1 2>/dev/null || sleep 1; }
# A command in the background of a shell without job control ignores SIGINT and SIGQUIT (POSIX XCU 2.11), and so would every
# daemon that it starts: undone by the first program that can.
clean=
if env --default-signal=INT,QUIT true 2>/dev/null; then
  clean='env --default-signal=INT,QUIT'
elif perl -e 1 2>/dev/null; then
  clean='perl -e $SIG{INT}=$SIG{QUIT}="DEFAULT";exec(@ARGV)'
fi
# begin COMMAND...: in the background.
begin() {
  "$@" </dev/null &
  pid=$! began=$(date +%s)
}
# ends SECONDS: whether it ends in time.
ends() {
  while kill -0 "$pid" 2>/dev/null; do
    if [ $(($(date +%s) - began)) -ge "$1" ]; then return 1; fi
    nap
  done
}
# ended_well WHAT
ended_well() { wait "$pid" || { say "$1 failed with exit code $?"; return 1; } }
# patient SECONDS WHAT COMMAND...: what does not end in time is left at work, as on the server that the image was made from: a database
# may take minutes to recover.
patient() {
  limit=$1 what=$2
  shift 2
  begin "$@"
  if ends "$limit"; then ended_well "$what"; else say "$what is still at work after $limit s"; fi
}
# limited SECONDS WHAT COMMAND...: what does not end in time is killed.
limited() {
  limit=$1 what=$2
  shift 2
  begin "$@"
  if ends "$limit"; then ended_well "$what"; return; fi
  kill_tree "$pid"
  say "$what did not end within $limit s"
  return 1
}
# With all that it started: stopped first, so that it starts nothing more meanwhile. In a subshell, for sh has no variables of a
# function's own.
kill_tree() (
  kill -STOP "$1" 2>/dev/null
  for one in /proc/[0-9]*; do
    parent=
    # Not of stat: a newline in a process's name ends its line (proc(5)).
    { while read -r key value; do case $key in PPid:) parent=$value && break ;; esac; done <"$one/status"; } 2>/dev/null
    if [ "$parent" = "$1" ]; then kill_tree "\${one##*/}"; fi
  done
  kill -9 "$1" 2>/dev/null
)
# service ACTION NAME...: by the first of the names that has a script.
service_script() {
  action=$1
  shift
  for name; do
    for folder in /etc/init.d /etc/rc.d/init.d; do
      if [ -x "$folder/$name" ]; then $clean "$folder/$name" "$action"; return; fi
    done
  done
  say "there is no script for $* in /etc/init.d"
  return 1
}
# What a quarantine holds back.
look_held() {
  held=' '
  for one in ${HELD_FOLDER}/*; do held="$held\${one##*/} "; done
}
is_held() {
  case $held in *" $1 "*) return 0 ;; esac
  return 1
}
as_user() { $clean su -s /bin/sh -c "$2" "$1"; }
# By their state: another user's exe is not shown to whoever has no CAP_SYS_PTRACE (proc(5)). A PID namespace has no threads
# of the kernel's own.
lives() {
  for one in /proc/[0-9]*; do
    case $one in /proc/1 | "/proc/$nap") continue ;; esac
    { read -r stat <"$one/stat"; } 2>/dev/null || continue
    case \${stat##*)} in ' Z'* | ' X'*) ;; *) return 0 ;; esac
  done
  return 1
}
`;

export function isServicesScript(text: string): boolean {
  return text.startsWith(OPENING);
}

export function servicesScript(services: Services): string {
  const start = services.flatMap((service) => unlessHeld(service, 'start'));
  const stop = [...services].reverse().flatMap((service) => unlessHeld(service, 'stop'));
  return `${FUNCTIONS}
stopping=
trap 'stopping=yes' TERM INT PWR
start_all() {
${start.map((line) => `  [ -n "$stopping" ] || ${line}`).join('\n')}
  say started
}
stop_all() {
  look_held
${stop.map((line) => `  ${line}`).join('\n')}
  say stopped
}
for script in ${BOOT_SCRIPTS}/*; do
  if [ -x "$script" ]; then limited 120 "$script" $clean "$script"; fi
done
# Looked at once before they start: p2c release starts itself what it sets free meanwhile.
look_held
start_all
# Where all that was started has ended, so does the container: --restart starts it again.
code=0
while [ -z "$stopping" ]; do
  sleep 1 &
  nap=$!
  if ! lives; then
    say 'nothing that was started runs any more'
    code=1
    break
  fi
  wait "$nap"
done
stop_all
exit "$code"
`;
}

/** For `p2c release`: the start of what was held back. Ends with 1 where a step of it fails. */
export function startScript(
  held: readonly { readonly service: string; readonly steps: readonly ServiceStep[] }[],
): string {
  const lines = held.flatMap(({ service, steps }) =>
    steps.map((step) => `${stepLine(service, 'start', step)} || failed=1`),
  );
  return `${FUNCTIONS}failed=0
${lines.join('\n')}
exit "$failed"
`;
}

function unlessHeld({ name, ...steps }: Services[number], action: 'start' | 'stop'): string[] {
  return steps[action].map((step) => {
    const held = heldName(name, step.service);
    return `${held === undefined ? '' : `is_held ${quoted(held)} || `}${stepLine(name, action, step)}`;
  });
}

function stepLine(name: string, action: 'start' | 'stop', step: ServiceStep): string {
  const way = action === 'start' ? 'patient' : 'limited';
  return `${way} ${Math.ceil(step.seconds)} ${quoted(`${name}: ${action}`)} ${commandOf(action, step)}`;
}

function commandOf(action: 'start' | 'stop', { run, service, user, env }: ServiceStep): string {
  const variables = Object.entries(env).map(([key, value]) => quoted(`${key}=${value}`));
  const before = variables.length === 0 ? '' : `env ${variables.join(' ')} `;
  if (service !== undefined) return ['service_script', action, ...service.map(quoted)].join(' ');
  if (user === undefined) return `$clean ${before}sh -c ${quoted(run ?? 'true')}`;
  return `as_user ${quoted(user)} ${quoted(`${before}sh -c ${quoted(run ?? 'true')}`)}`;
}

/** One word for sh. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
