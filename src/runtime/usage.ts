/** What a container takes of the machine, from /proc, and from its memory cgroup where it has one of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process.ts';
import { processesOf } from './processes.ts';

export interface Usage {
  /** Seconds of processor time of the processes that live. */
  readonly cpuSeconds: number;
  /** Bytes: what the cgroup counts without cache that can be dropped, else the resident memory of all processes. */
  readonly memory: number;
  /** Bytes; undefined where there is none but the machine's own. */
  readonly memoryLimit: number | undefined;
  /** Bytes, of all interfaces but the loopback. */
  readonly received: number;
  readonly sent: number;
  /** Bytes from and to disks, of the processes that live. */
  readonly read: number;
  readonly written: number;
  readonly processes: number;
}

/** Beyond it a limit of cgroup v1 means none: it is the largest number of pages in bytes. */
const NO_LIMIT = 2 ** 62;

export function usageOf(init: ProcessIdentity): Usage {
  const processes = processesOf(init);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const traffic = trafficOf(init.pid);
  const disks = processes.map(({ hostPid }) => diskBytes(hostPid));
  const memory = cgroupMemory(init.pid);
  return {
    cpuSeconds: sum(processes.map(({ cpuSeconds }) => cpuSeconds)),
    memory: memory?.used ?? sum(processes.map(({ residentMemory }) => residentMemory)),
    memoryLimit: memory?.limit,
    ...traffic,
    read: sum(disks.map(({ read }) => read)),
    written: sum(disks.map(({ written }) => written)),
    processes: processes.length,
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function trafficOf(pid: number): { received: number; sent: number } {
  const lines = textOf(`/proc/${pid}/net/dev`).split('\n').slice(2);
  let received = 0;
  let sent = 0;
  for (const line of lines) {
    const [name = '', numbers = ''] = line.trim().split(/:\s*/);
    const fields = numbers.split(/\s+/).map(Number);
    if (name === '' || name === 'lo') continue;
    received += fields[0] ?? 0;
    sent += fields[8] ?? 0;
  }
  return { received, sent };
}

function diskBytes(pid: number): { read: number; written: number } {
  const text = textOf(`/proc/${pid}/io`);
  const number = (name: string): number => Number(new RegExp(`^${name}: ([0-9]+)$`, 'm').exec(text)?.[1] ?? 0);
  return { read: number('read_bytes'), written: number('write_bytes') };
}

/** Undefined where the container shares the cgroup that p2c is in (cgroups(7): `/proc/PID/cgroup`). */
function cgroupMemory(pid: number): { used: number; limit: number | undefined } | undefined {
  const folder = cgroupFolder(pid);
  if (folder === undefined || folder === cgroupFolder('self')) return undefined;
  const isFirst = textOf(join(folder, 'memory.current')) === '';
  const used = Number(textOf(join(folder, isFirst ? 'memory.usage_in_bytes' : 'memory.current')));
  const limit = Number(textOf(join(folder, isFirst ? 'memory.limit_in_bytes' : 'memory.max')));
  const cache = /^(?:total_)?inactive_file ([0-9]+)$/m.exec(textOf(join(folder, 'memory.stat')))?.[1];
  if (!(used > 0)) return undefined;
  return { used: used - Math.min(used, Number(cache ?? 0)), limit: limit > 0 && limit < NO_LIMIT ? limit : undefined };
}

function cgroupFolder(pid: number | 'self'): string | undefined {
  const lines = textOf(`/proc/${pid}/cgroup`)
    .split('\n')
    .map((line) => /^[0-9]+:([^:]*):(.*)$/.exec(line));
  const first = lines.find((line) => line?.[1]?.split(',').includes('memory'));
  if (first != null) return join('/sys/fs/cgroup/memory', containersPart(first[2] ?? ''));
  const unified = lines.find((line) => line?.[1] === '');
  return unified == null ? undefined : join('/sys/fs/cgroup', containersPart(unified[2] ?? ''));
}

/** systemd moves itself into a group of its own (`/p2c-ID/init.scope`), and what it starts into others beside that. */
export function containersPart(cgroup: string): string {
  return /^.*\/p2c-[0-9a-f]{64}(?=\/|$)/.exec(cgroup)?.[0] ?? cgroup;
}
