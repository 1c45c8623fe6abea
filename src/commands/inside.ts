/** Verbs that make, run or remove containers: without root, p2c does them as root of a user namespace. */
import { existsSync, readFileSync } from 'node:fs';
import { storeRoot } from '../oci/root.ts';
import { hasEntered, isOutside, startInside } from '../runtime/rootless/enter.ts';

/** They make what belongs to subordinate ids. */
const MAKING = ['run', 'create'];
/** They meet it, once there is any. */
const MEETING = [
  ...['start', 'exec', 'attach', 'top', 'stats', 'cp', 'stop', 'kill', 'restart', 'rm', 'release', 'prune'],
  ...['volume create', 'volume rm', 'volume prune', 'doctor --clean'],
];

/** @returns whether this process is outside, and is to hand the verb on. A store that is not there has nothing to run. */
export function goesInside(verb: string): boolean {
  if (!isOutside()) return false;
  if (MAKING.includes(verb)) return existsSync(storeRoot());
  return MEETING.includes(verb) && hasEntered(storeRoot());
}

/** What a user may send; where a terminal does, the other p2c has it from there. */
const ANYWHERE = ['SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const;

/** Runs p2c there with the same words, and ends as it does. @throws P2cError `rootless.*`. */
export async function runInside(words: readonly string[]): Promise<number> {
  const { pid, ended } = await startInside(storeRoot(), words, 'inherit');
  const send = (signal: NodeJS.Signals): void => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended, and so does this process.
    }
  };
  for (const signal of ANYWHERE) process.on(signal, send);
  for (const signal of FROM_TERMINAL) process.on(signal, (name) => isInForeground() || send(name));
  return ended;
}

/** Whether this process's group is the one that its terminal sends signals to (proc(5), stat: pgrp, tpgid). */
function isInForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}
