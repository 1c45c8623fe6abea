/** Processes of this machine by pid and start time: a pid alone may since belong to another (proc(5), /proc/PID/stat). */
import { readdirSync, readFileSync } from 'node:fs';
import { P2cError, systemCode } from '../errors.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of `/proc/PID/stat`. */
  readonly startTime: string;
}

/** This boot of the machine (random(4)): pids and start times of another mean nothing. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** p2c's own process. */
export function ownIdentity(): ProcessIdentity {
  const identity = identifyProcess(process.pid);
  if (identity !== undefined) return identity;
  throw new P2cError('p2c does not find its own process in /proc', { code: 'runtime.proc', hint: 'mount /proc' });
}

/** @returns undefined where there is no such process, or only what is left of one until its parent takes note. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  return identityFrom(stat);
}

/** @param stat the text of a process's `/proc/PID/stat`. @returns undefined for one that has ended. */
export function identityFrom(stat: string): ProcessIdentity | undefined {
  // The second field is the program's name in parentheses, and may hold any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const pid = Number.parseInt(stat, 10);
  const startTime = fields[19];
  const ended = startTime === undefined || fields[0] === 'Z' || fields[0] === 'X';
  return ended || Number.isNaN(pid) ? undefined : { pid, startTime };
}

/** @returns the processes whose parent it is, by whichever of its threads: runc's first process is another's than its main one. */
export function childrenOf(pid: number): ProcessIdentity[] {
  try {
    const pids = readdirSync(`/proc/${pid}/task`).flatMap((thread) => childrenOfThread(pid, thread));
    return pids.map((text) => identifyProcess(Number(text))).filter((child) => child !== undefined);
  } catch {
    return [];
  }
}

function childrenOfThread(pid: number, thread: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ');
  } catch {
    return [];
  }
}

/** @returns the pid of its parent; undefined where it is gone. */
export function parentOf(pid: number): number | undefined {
  try {
    const found = /^PPid:\s*([1-9][0-9]*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

export function isAlive(process: ProcessIdentity): boolean {
  return identifyProcess(process.pid)?.startTime === process.startTime;
}

/** Sends a signal to that process and to no other. @returns whether it was there. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Kills it and all that descends from it, the youngest first. */
export function killTree(root: ProcessIdentity): void {
  if (!isAlive(root)) return;
  for (const child of childrenOf(root.pid)) killTree(child);
  signalProcess(root, 'SIGKILL');
}

/** Waits until it is gone. @param limit milliseconds. @returns whether it went. */
export async function waitForEnd(target: ProcessIdentity, limit: number): Promise<boolean> {
  const end = performance.now() + limit;
  while (isAlive(target)) {
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
