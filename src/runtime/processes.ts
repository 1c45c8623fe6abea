/** The processes of a container, as this machine's /proc shows them: whoever is in its PID namespace. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessIdentity } from './process.ts';

export interface ContainerProcessRecord {
  /** As this machine numbers it. */
  readonly hostPid: number;
  /** As the container numbers it and its parent; the parent is 0 where it is outside. */
  readonly pid: number;
  readonly parentPid: number;
  readonly uid: number;
  /** One letter, as proc(5) has it. */
  readonly state: string;
  /** `pts/0`, `?` for none. */
  readonly terminal: string;
  /** Seconds of processor time. */
  readonly cpuSeconds: number;
  /** Seconds since its start. */
  readonly elapsed: number;
  /** Bytes. */
  readonly residentMemory: number;
  readonly threads: number;
  readonly command: string;
}

/** USER_HZ, in which the kernel counts for programs, is 100 on all architectures that p2c knows (time(7)). */
const TICKS = 100;
const PAGE = 4096;

/** By number in the container; those that end meanwhile are left out. */
export function processesOf(init: ProcessIdentity): ContainerProcessRecord[] {
  const namespace = namespaceOf(init.pid);
  if (namespace === undefined) return [];
  const parents = new Map<number, number>();
  const found = readdirSync('/proc').flatMap((name) => {
    const hostPid = /^[0-9]+$/.test(name) ? Number(name) : 0;
    if (hostPid === 0 || namespaceOf(hostPid) !== namespace) return [];
    const record = readProcess(hostPid);
    if (record === undefined) return [];
    parents.set(hostPid, record.pid);
    return [record];
  });
  return found
    .map((record) => ({ ...record, parentPid: parents.get(record.parentPid) ?? 0 }))
    .sort((a, b) => a.pid - b.pid);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** Its parent is still as this machine numbers it. */
function readProcess(hostPid: number): ContainerProcessRecord | undefined {
  try {
    const read = (name: string): string => readFileSync(`/proc/${hostPid}/${name}`, 'utf8');
    const stat = read('stat');
    const status = read('status');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): number => Number(fields[number - 3] ?? 0);
    const words = read('cmdline').split('\0').join(' ').trim();
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return {
      hostPid,
      pid: Number(/^NSpid:.*\s([0-9]+)$/m.exec(status)?.[1] ?? hostPid),
      parentPid: field(4),
      uid: Number(/^Uid:\s+[0-9]+\s+([0-9]+)/m.exec(status)?.[1] ?? 0),
      state: fields[0] ?? '?',
      terminal: terminalName(field(7)),
      cpuSeconds: (field(14) + field(15)) / TICKS,
      elapsed: Math.max(0, uptime() - field(22) / TICKS),
      residentMemory: field(24) * PAGE,
      threads: field(20),
      command: words === '' ? `[${name}]` : words,
    };
  } catch {
    return undefined;
  }
}

/** The minor number of a pseudo-terminal is in two parts of the device's (proc(5), tty_nr). */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : '?';
}

/** Seconds since the machine's boot. */
function uptime(): number {
  return Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
}
