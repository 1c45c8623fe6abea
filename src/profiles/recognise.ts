/** Looks for the applications of profiles on a source: read-only, two commands, and only for what the profiles ask. */
import { quoteAll } from '../ssh/quote.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import { probe } from './application.ts';
import { type Atom, keptName } from './checks.ts';
import { type Detection, detectPaths, detectProfiles, type Evidence } from './detect.ts';
import type { Profile } from './schema.ts';
import { inStopOrder, withRequired } from './select.ts';

/** In the order of the profiles. @throws P2cError `quiesce.probe`, `ssh.*`. */
export async function recognise(session: Session, profiles: readonly Profile[]): Promise<Detection[]> {
  return detectProfiles(profiles, await gather(session, profiles));
}

/** Of what was recognised, the profiles of what runs, in the order of the stop; what does not run needs no stop. */
export function applicable(detections: readonly Detection[]): Profile[] {
  return inStopOrder(withRequired(detections.filter(({ running }) => running).map(({ profile }) => profile)));
}

async function gather(session: Session, profiles: readonly Profile[]): Promise<Evidence> {
  const atoms = profiles.flatMap(({ detect }): Atom[] => [
    ...detect.process.map((process): Atom => ({ kind: 'process', process })),
    ...detect.port.map((port): Atom => ({ kind: 'port', port, owners: [] })),
  ]);
  const [states, { stdout }] = await Promise.all([
    atoms.length === 0 ? [] : probe(session, 'see which applications there are', atoms),
    session.run(traceCommand(profiles)),
  ]);
  const seen = atoms.filter((_, index) => states[index]?.holds === true);
  const traces = stdout.toString('utf8').split('\n');
  const of = (kind: string): ReadonlySet<string> =>
    new Set(traces.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1)));
  return {
    processes: seen.flatMap((atom) =>
      atom.kind === 'process' ? [{ name: asSeen(atom.process.name), args: atom.process.argument ?? '' }] : [],
    ),
    ports: seen.flatMap((atom) => (atom.kind === 'port' ? [atom.port] : [])),
    paths: of('path'),
    packages: of('package'),
    services: of('service'),
  };
}

/** One that was looked for by its beginning is seen as that: it is not the process of just this name. */
function asSeen(name: string): string {
  const { comm, anyEnding } = keptName(name);
  return anyEnding ? `${comm}*` : comm;
}

/** Asks each package manager that there is by names, for a list of all that is installed can be long. */
function traceCommand(profiles: readonly Profile[]): RemoteCommand {
  const packages = quoteAll([...new Set(profiles.flatMap(({ detect }) => detect.package))]);
  const services = quoteAll([...new Set(profiles.flatMap(({ detect }) => detect.service))]);
  return {
    purpose: 'look for traces of applications',
    script: `for path in ${quoteAll(detectPaths(profiles))}; do
  if [ -e "$path" ]; then printf 'path %s\\n' "$path"; fi
done
set -- ${packages}
if [ "$#" -gt 0 ]; then
  {
    dpkg-query -W -f '\${Status} \${Package}\\n' "$@" | sed -n 's/^install ok installed //p'
    rpm -q --qf '%{NAME}\\n' "$@" | grep -v ' '
    apk info -e "$@"
    pacman -Qq "$@"
  } 2>/dev/null </dev/null | sed 's/^/package /'
fi
for name in ${services}; do
  for file in "/etc/init.d/$name" "/etc/init/$name.conf" "/etc/rc.d/$name" "/etc/rc.d/rc.$name" \\
    "/etc/systemd/system/$name.service" "/lib/systemd/system/$name.service" "/usr/lib/systemd/system/$name.service"; do
    if [ -e "$file" ]; then
      printf 'service %s\\n' "$name"
      break
    fi
  done
done
`,
  };
}
