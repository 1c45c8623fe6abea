/**
 * What a server looks like from outside its applications: who listens, which programs run, which services are on. Taken
 * before the stop and after the start, so that what did not come back is told even where no profile checks it.
 */
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { CommandRunner, RemoteCommand } from '../ssh/session.ts';

export interface Fingerprint {
  /** `tcp 0.0.0.0:80`. */
  readonly listeners: ReadonlySet<string>;
  /** Names, as the kernel keeps them. */
  readonly processes: ReadonlySet<string>;
  /** Of systemd or upstart; elsewhere the pid files whose process lives. */
  readonly services: ReadonlySet<string>;
}

export interface Difference {
  readonly kind: 'listener' | 'process' | 'service';
  readonly name: string;
  readonly change: 'gone' | 'new';
}

/** Its own sessions and what cron runs come and go: their programs are not the server's. */
const SESSIONS = /^(sshd|dropbear|in\.sshd|cron|crond|CRON|atd|anacron)/;
const PASSING_SERVICES = /^(user@|user-runtime-dir@|sshd?@|session-|systemd-(timedated|hostnamed|localed|tmpfiles))/;
/** From here on the kernel gives ports to clients (ip_local_port_range): UDP sockets there listen to nobody, and TCP ones have another number next time. */
const FIRST_CLIENT_PORT = 32_768;

export const FINGERPRINT_COMMAND: RemoteCommand = {
  purpose: 'see what runs and who listens',
  script: `echo == processes
grep -s -E '^(Name|State|PPid|NSpid):' /proc/[0-9]*/status
for protocol in tcp udp tcp6 udp6; do
  echo "== $protocol"
  grep -hs -E ' (0A|07) ' /proc/net/$protocol
done
echo == services
if [ -d /run/systemd/system ]; then
  systemctl list-units --type=service --state=running --no-legend --no-pager 2>/dev/null |
    sed -e 's/^[^A-Za-z0-9]*//' -e 's/\\.service .*//'
elif initctl version 2>/dev/null | grep -q upstart; then
  initctl list | sed -n 's/^\\([^ ]*\\).* start\\/running.*/\\1/p'
else
  for file in /run/*.pid /run/*/*.pid /var/run/*.pid /var/run/*/*.pid; do
    pid=$(head -n 1 "$file" 2>/dev/null | tr -d ' ')
    case $pid in '' | *[!0-9]*) continue ;; esac
    if [ -d "/proc/$pid" ]; then
      name=\${file##*/}
      echo "\${name%.pid}"
    fi
  done
fi
exit 0`,
  timeoutMs: 60_000,
  maxOutputBytes: 32 * 1024 * 1024,
};

/** Read-only. @throws P2cError of the session; `source.fingerprint` for half an answer: what lacks would pass for gone. */
export async function takeFingerprint(session: CommandRunner): Promise<Fingerprint> {
  const { code, stdout, stderr } = await session.run(FINGERPRINT_COMMAND);
  if (code === 0) return parseFingerprint(stdout.toString('latin1'));
  throw new P2cError(`what runs and who listens was not told to the end (exit code ${code})`, {
    code: 'source.fingerprint',
    hint: 'the cause is what was said there',
    cause: new Error(printable(stderr.trim().slice(-500), { newlines: true }) || 'it said nothing'),
  });
}

export function parseFingerprint(output: string): Fingerprint {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('== ')) {
      lines = [];
      sections.set(line.slice(3), lines);
    } else if (line !== '') lines.push(line);
  }
  const of = (name: string): string[] => sections.get(name) ?? [];
  return {
    listeners: new Set(
      ['tcp', 'udp', 'tcp6', 'udp6'].flatMap((name) => of(name).flatMap((line) => listener(name, line))),
    ),
    processes: new Set(programsOf(of('processes'))),
    services: new Set(
      of('services')
        .filter((name) => !PASSING_SERVICES.test(name))
        .map((name) => printable(name)),
    ),
  };
}

/** TCP ports that somebody listens on, on whatever address, below those that the kernel gives to clients. */
export function listeningPorts({ listeners }: Fingerprint): number[] {
  const ports = [...listeners].flatMap((name) => /^tcp .*:(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return [...new Set(ports)].filter((port) => port < FIRST_CLIENT_PORT).sort((a, b) => a - b);
}

/** What is there before and not after, or the other way round. Programs that are new are not told: they come and go. */
export function differences(before: Fingerprint, after: Fingerprint): Difference[] {
  return [
    ...missing('listener', 'gone', before.listeners, after.listeners),
    ...missing('process', 'gone', before.processes, after.processes),
    ...missing('service', 'gone', before.services, after.services),
    ...missing('listener', 'new', after.listeners, before.listeners),
    ...missing('service', 'new', after.services, before.services),
  ];
}

function missing(
  kind: Difference['kind'],
  change: Difference['change'],
  there: ReadonlySet<string>,
  here: ReadonlySet<string>,
): Difference[] {
  return [...there].filter((name) => !here.has(name)).map((name) => ({ kind, name, change }));
}

/** A line of proc(5)'s tcp or udp: `0: 0100007F:0CEA 00000000:0000 0A …`; the state tells whether it listens. */
function listener(protocol: string, line: string): string[] {
  const [, local = '', , state] = line.trim().split(/\s+/);
  const [address = '', port = ''] = local.split(':');
  const number = Number.parseInt(port, 16);
  const tcp = protocol.startsWith('tcp');
  if (state !== (tcp ? '0A' : '07') || !Number.isInteger(number) || (!tcp && number >= FIRST_CLIENT_PORT)) return [];
  return [`${tcp ? 'tcp' : 'udp'} ${addressOf(address)}:${number}`];
}

/** Words of 32 bits in the byte order of the machine, which nearly always is little-endian. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return `[${groups.join(':').replace(/(?:^|:)0(?::0)+(?::|$)/, '::')}]`;
}

interface Running {
  readonly name: string;
  readonly parent: number;
}

/** Those that descend from init without a login or a cron job between, and are no threads of the kernel. */
function programsOf(lines: readonly string[]): string[] {
  const fields = new Map<number, Map<string, string>>();
  for (const line of lines) {
    const [, pid, field, value] = /^\/proc\/(\d+)\/status:(\w+):\s*(.*)$/.exec(line) ?? [];
    if (pid === undefined || field === undefined || value === undefined) continue;
    const known = fields.get(Number(pid)) ?? new Map<string, string>();
    fields.set(Number(pid), known.set(field, value.trim()));
  }
  const running = new Map<number, Running>();
  for (const [pid, of] of fields) {
    // More than one number: a process of a container on the server. Z and X are dead.
    if ((of.get('NSpid') ?? '').includes('\t') || /^[ZX]/.test(of.get('State') ?? '')) continue;
    running.set(pid, { name: of.get('Name') ?? '', parent: Number(of.get('PPid')) });
  }
  return [...running].filter(([pid]) => isOfTheServer(pid, running)).map(([, { name }]) => printable(name));
}

function isOfTheServer(pid: number, running: ReadonlyMap<number, Running>): boolean {
  const seen = new Set<number>();
  for (let at = pid; at !== 1; ) {
    const parent = running.get(at)?.parent;
    if (parent === undefined || parent === 0 || seen.has(at)) return false;
    if (SESSIONS.test(running.get(parent)?.name ?? '')) return false;
    seen.add(at);
    at = parent;
  }
  return true;
}
