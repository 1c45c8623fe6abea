/**
 * Who listens on what: from the kernel's own tables (proc(5), /proc/net/tcp), which every Linux has. Where they are closed
 * to p2c's account, ss(8) or netstat(8) is asked; neither can then name processes.
 */
import { type Fact, known } from './fact.ts';
import type { OpenFiles } from './open-files.ts';
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

interface Owner {
  readonly pid: number;
  readonly name: string;
}

export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0`, `127.0.0.1`, `::`. */
  readonly address: string;
  readonly port: number;
  /** Processes that own the socket; empty where they are not to be seen, or where it is the kernel's own (nfsd). */
  readonly owners: readonly Owner[];
}

const TABLES = ['tcp', 'tcp6', 'udp', 'udp6'] as const;

/** State 0A is LISTEN; 07 is a UDP socket that has no peer (include/net/tcp_states.h). */
export const SOCKET_SECTIONS: readonly Section[] = [
  ...TABLES.map(
    (name): Section => ({
      name,
      script: `[ -r /proc/net/${name} ] && echo table && grep -E ' [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 ${name.startsWith('tcp') ? '0A' : '07'} ' /proc/net/${name}`,
      maxBytes: 512 * 1024,
    }),
  ),
  {
    name: 'ss',
    script: '[ -r /proc/net/tcp ] || ss -lntu || netstat -lntu',
    maxBytes: 256 * 1024,
  },
];

export function readListeners(
  answers: Answers,
  files: Fact<OpenFiles>,
  processes: readonly ServerProcess[],
): Fact<Listener[]> {
  const read = TABLES.filter((table) => answers.line(table) === 'table');
  if (read.length === 0) return fromPrograms(answers);
  const names = new Map(processes.map(({ pid, name }) => [pid, name]));
  const owners = 'value' in files ? files.value.socketOwners : new Map<string, number[]>();
  const told = new Set<string>();
  const listeners = read.flatMap((table) =>
    answers.lines(table).flatMap((line) => {
      const socket = parseSocket(line);
      if (socket === undefined) return [];
      const { inode, ...place } = socket;
      // A socket has one line: owners that a table names again and again would fill the memory.
      const pids = told.has(inode) ? [] : (owners.get(inode) ?? []);
      told.add(inode);
      const named = pids.flatMap((pid) => ({ pid, name: names.get(pid) ?? '' })).filter(({ name }) => name !== '');
      return [{ protocol: table.startsWith('tcp') ? ('tcp' as const) : ('udp' as const), ...place, owners: named }];
    }),
  );
  const partial = 'value' in files && files.value.partial;
  return known(distinct(listeners), partial ? 'not root: owners are not all seen' : answers.note(...TABLES));
}

/** `  0: 0100007F:0CEA 00000000:0000 0A 0:0 0:0 0 0 0 12345 1 …`: local, remote, state, …, uid, timeout, inode. */
export function parseSocket(line: string): { address: string; port: number; inode: string } | undefined {
  const fields = line.trim().split(/\s+/);
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[1] ?? '');
  const inode = fields[9];
  if (match?.[1] === undefined || match[2] === undefined || inode === undefined || !/^\d+$/.test(inode))
    return undefined;
  const port = Number.parseInt(match[2], 16);
  return { address: addressOf(match[1]), port, inode };
}

/** Words of 32 bits, each in the byte order of the machine: little-endian on all that p2c knows. */
export function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.slice(12).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return shorten(groups);
}

/** The longest run of zeros, of two or more, becomes `::` (RFC 5952, 4.2). */
function shorten(groups: readonly string[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === '0') length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

/** `tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*` of ss, `tcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN` of netstat. */
function fromPrograms(answers: Answers): Fact<Listener[]> {
  const listeners = answers.lines('ss').flatMap((line): Listener[] => {
    const fields = line.trim().split(/\s+/);
    const protocol = /^(tcp|udp)6?$/.exec(fields[0] ?? '')?.[1];
    const place = /^[A-Z]+$/.test(fields[1] ?? '') ? fields[4] : fields[3];
    const match = /^(.*):(\d{1,5})$/.exec(place ?? '');
    if ((protocol !== 'tcp' && protocol !== 'udp') || match?.[1] === undefined) return [];
    const address = match[1].replace(/^\[|\]$/g, '').replace(/^\*$/, '0.0.0.0');
    return [{ protocol, address, port: Number(match[2]), owners: [] }];
  });
  if (listeners.length === 0) return answers.none('/proc/net is closed, and neither ss nor netstat answers');
  return known(distinct(listeners), '/proc/net is closed: the owners are not seen');
}

/** Several sockets of one port (SO_REUSEPORT) are one listener, in the order of ports. */
function distinct(listeners: readonly Listener[]): Listener[] {
  const found = new Map<string, { readonly listener: Listener; readonly owners: Map<number, Owner> }>();
  for (const listener of listeners) {
    const key = `${listener.protocol} ${listener.address} ${listener.port}`;
    const { owners } = found.get(key) ?? { owners: new Map<number, Owner>() };
    found.set(key, { listener, owners });
    for (const owner of listener.owners) if (!owners.has(owner.pid)) owners.set(owner.pid, owner);
  }
  return [...found.values()]
    .map(({ listener, owners }) => ({ ...listener, owners: [...owners.values()] }))
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}
