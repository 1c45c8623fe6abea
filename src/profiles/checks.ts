/**
 * Asks a running server whether an application is up, with nothing but /proc and POSIX tools. A check of a profile is
 * taken apart into atoms (one process name, one port, one command), so that each can be compared with how it was before.
 */
import { quote } from '../ssh/quote.ts';
import type { RemoteCommand } from '../ssh/session.ts';
import type { Port } from './scalars.ts';
import type { Check, ProcessName } from './schema.ts';

export type Atom =
  | { readonly kind: 'process'; readonly process: ProcessName }
  /** `owners`: the processes of the same check; a port that another program holds says nothing about this one. */
  | { readonly kind: 'port'; readonly port: Port; readonly owners: readonly ProcessName[] }
  | { readonly kind: 'command'; readonly run: string };

/** What a server answered about one atom. */
export interface AtomState {
  /** The process lives, its own process listens on the port, or the command ended with 0. */
  readonly holds: boolean;
  /** For a port: somebody listens, be it this application or another. */
  readonly listening: boolean;
  readonly pids: readonly number[];
}

export function atomsOf(check: Check | undefined): Atom[] {
  if (check === undefined) return [];
  const owners = check.process ?? [];
  return [
    ...owners.map((process): Atom => ({ kind: 'process', process })),
    ...(check.port ?? []).map((port): Atom => ({ kind: 'port', port, owners })),
    ...(check.command ?? []).map((run): Atom => ({ kind: 'command', run })),
  ];
}

/** For messages: `process nginx`, `port 80/tcp`, `command test -e /x`. */
export function nameOfAtom(atom: Atom): string {
  if (atom.kind === 'port') return `port ${atom.port.port}/${atom.port.protocol}`;
  if (atom.kind === 'command') return `command '${atom.run.slice(0, 60)}'`;
  const { name, argument } = atom.process;
  return argument === undefined ? `process ${name}` : `process ${name} with '${argument}'`;
}

/**
 * The functions that atoms are asked with. `p2c_pids NAME [ARGUMENT]` prints the processes of that name: not the dead
 * ones that wait for their parent, and not those of containers on the server, which lie in other PID namespaces.
 * `p2c_sockets PROTOCOL HEXPORT` prints `socket:[INODE]` for each socket that listens there (proc(5): state 0A is
 * LISTEN, 07 an unconnected UDP socket), `p2c_holds SOCKETS PIDS` tells whether one of the processes has one of them.
 * All of it is grep and not `read`: bash reads seekable files by seeking back, which makes /proc/net/tcp quadratic.
 */
export const CHECK_FUNCTIONS = `p2c_namespace=$(readlink /proc/self/ns/pid 2>/dev/null)
p2c_pids() {
  grep -sl "^Name:[[:space:]]$1\\$" /proc/[0-9]*/status | while read -r p2c_file; do
    p2c_dir=\${p2c_file%/status}
    case $(grep -s '^State:' "$p2c_file") in '' | *[ZX]*) continue ;; esac
    p2c_its=$(readlink "$p2c_dir/ns/pid" 2>/dev/null)
    [ -z "$p2c_its" ] || [ -z "$p2c_namespace" ] || [ "$p2c_its" = "$p2c_namespace" ] || continue
    if [ -n "$2" ]; then
      tr '\\0' '\\n' 2>/dev/null <"$p2c_dir/cmdline" | grep -qF -e "$2" || continue
    fi
    echo "\${p2c_dir#/proc/}"
  done
}
p2c_sockets() {
  case $1 in tcp) p2c_state=0A ;; *) p2c_state=07 ;; esac
  grep -hs "^ *[0-9]*: [0-9A-F]*:$2 [0-9A-F]*:[0-9A-F]* $p2c_state " "/proc/net/$1" "/proc/net/\${1}6" |
    while read -r p2c_a p2c_b p2c_c p2c_d p2c_e p2c_f p2c_g p2c_h p2c_i p2c_inode p2c_rest; do
      echo "socket:[$p2c_inode]"
    done
}
p2c_holds() {
  for p2c_pid in $2; do
    if ls -l "/proc/$p2c_pid/fd" 2>/dev/null | grep -qF -e "$1"; then return 0; fi
  done
  return 1
}
`;

/** The kernel keeps 15 bytes of a name (TASK_COMM_LEN). */
export function keptName(name: string): { readonly comm: string; readonly anyEnding: boolean } {
  const anyEnding = name.length > 1 && name.endsWith('*');
  const whole = anyEnding ? name.slice(0, -1) : name;
  return { comm: Buffer.from(whole, 'utf8').subarray(0, 15).toString('utf8'), anyEnding };
}

function pidsCall(process: ProcessName): string {
  const { comm, anyEnding } = keptName(process.name);
  // What is special in a basic regular expression is escaped.
  const expression = `${comm.replace(/[.[\]*^$\\]/g, '\\$&')}${anyEnding ? '.*' : ''}`;
  return `p2c_pids ${quote(expression)}${process.argument === undefined ? '' : ` ${quote(process.argument)}`}`;
}

function socketsCall(port: Port): string {
  return `p2c_sockets ${port.protocol} ${hexPort(port)}`;
}

function hexPort({ port }: Port): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function commandCall(run: string): string {
  return `( cd / && sh -c ${quote(run)} ) >/dev/null 2>&1 </dev/null`;
}

/** A condition of sh that is true while all atoms hold; for the watchdog, after {@link CHECK_FUNCTIONS}. */
export function upCondition(atoms: readonly Atom[]): string {
  const conditions = atoms.map((atom) => {
    if (atom.kind === 'command') return commandCall(atom.run);
    return `[ -n "$(${atom.kind === 'process' ? pidsCall(atom.process) : socketsCall(atom.port)})" ]`;
  });
  return conditions.length === 0 ? 'true' : conditions.join(' && ');
}

/**
 * What there is of names and of ports that somebody listens on, read once: of the dozens that profiles know, a server has few,
 * and for the others nothing is started to look closer. grep ends with 2 where processes end meanwhile, or a table is none;
 * where it was killed, or the processes are more than fit its command line, some are missing, and no answer is given at all.
 */
const WHAT_THERE_IS = `p2c_names=$(grep -hs '^Name:' /proc/[0-9]*/status)
p2c_code=$?
[ "$p2c_code" -le 2 ] || exit "$p2c_code"
p2c_listened=$(grep -hs ' 0[A7] ' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6)
p2c_code=$?
[ "$p2c_code" -le 2 ] || exit "$p2c_code"
`;

/** One read-only command that answers for every atom, one line each. */
export function probeCommand(purpose: string, atoms: readonly Atom[]): RemoteCommand {
  // A command of a profile may take its time, and other processes run after it.
  const atOnce = atoms.every(({ kind }) => kind !== 'command');
  const answers = atoms.map((atom, index) => {
    const asked = answer(atom);
    return `printf '%s ' ${index}; ${atOnce ? onlyIfThere(atom, asked) : asked}`;
  });
  const lines = atOnce ? [WHAT_THERE_IS, ...answers] : answers;
  return { purpose, script: `${CHECK_FUNCTIONS}${lines.join('\n')}`, timeoutMs: 60_000, maxOutputBytes: 1024 * 1024 };
}

/** @param asked what looks closer. */
function onlyIfThere(atom: Atom, asked: string): string {
  if (atom.kind === 'command') return asked;
  const [seen, sign, absent] =
    atom.kind === 'process'
      ? ['$p2c_names', quote(keptName(atom.process.name).comm), 'process']
      : ['$p2c_listened', `:${hexPort(atom.port)}' '`, 'port none'];
  return `case ${seen} in *${sign}*) ${asked} ;; *) echo ${absent} ;; esac`;
}

function answer(atom: Atom): string {
  if (atom.kind === 'process') return `echo process $(${pidsCall(atom.process)})`;
  if (atom.kind === 'command') return `if ${commandCall(atom.run)}; then echo command yes; else echo command no; fi`;
  const found = `p2c_found=$(${socketsCall(atom.port)}); if [ -z "$p2c_found" ]; then echo port none`;
  if (atom.owners.length === 0) return `${found}; else echo port ours; fi`;
  const pids = atom.owners.map((owner) => `$(${pidsCall(owner)})`).join(' ');
  return `${found}; elif p2c_holds "$p2c_found" "${pids}"; then echo port ours; else echo port other; fi`;
}

/** @returns one state for each atom; undefined where one of them has no answer. */
export function parseProbe(output: Buffer, atoms: readonly Atom[]): AtomState[] | undefined {
  const answers = new Map<number, string[]>();
  for (const line of output.toString('latin1').split('\n')) {
    const [index, , ...words] = line.split(' ');
    if (index !== undefined && /^\d+ [a-z]+ ?/.test(line)) answers.set(Number(index), words);
  }
  if (!atoms.every((_, index) => answers.has(index))) return undefined;
  return atoms.map((atom, index): AtomState => {
    const words = answers.get(index) ?? [];
    if (atom.kind === 'process') {
      const pids = words.filter((word) => /^\d+$/.test(word)).map(Number);
      return { holds: pids.length > 0, listening: false, pids };
    }
    if (atom.kind === 'command') return { holds: words[0] === 'yes', listening: false, pids: [] };
    return { holds: words[0] === 'ours', listening: words[0] === 'ours' || words[0] === 'other', pids: [] };
  });
}
