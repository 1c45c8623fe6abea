/** The most memory that a process has had so far, from proc(5): megabytes of 10^6; undefined once it has ended. */
import { readFileSync } from 'node:fs';

export function peakMemory(pid: number): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : (Number(kibibytes) * 1024) / 1e6;
  } catch {
    return undefined;
  }
}
