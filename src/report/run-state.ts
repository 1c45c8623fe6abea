/** How a run as a whole stands: under way, done, or what is left of it. */
import { ExitCode } from '../errors.ts';
import { cutOff, type RunRecord } from './run-record.ts';

/** Nobody works on it any more: what it left half done, and what it never came to. */
export function cutOffRun({ hosts, lastSeen }: RunRecord): void {
  for (const host of hosts) {
    cutOff(host, lastSeen);
    if (host.state === 'waiting') host.state = host.attempts > 0 ? 'cut off' : 'not begun';
  }
}

export type RunState = 'under way' | 'done' | 'failed' | 'interrupted' | 'cut off';

/** @param underWay true while a process works on it. */
export function stateOfRun({ hosts, exitCode }: RunRecord, underWay: boolean): RunState {
  if (underWay) return 'under way';
  if (hosts.every(({ state }) => state === 'done')) return 'done';
  if (exitCode === undefined) return 'cut off';
  return exitCode === ExitCode.interrupted ? 'interrupted' : 'failed';
}

/** With the remedy where there is one. */
export function describeState({ id, verb, hosts }: RunRecord, state: string): string {
  const done = hosts.filter((host) => host.state === 'done').length;
  const share = hosts.length > 1 ? `${state}, ${done} of ${hosts.length} done` : state;
  const resumable = verb === 'migrate' && ['failed', 'interrupted', 'cut off'].includes(state);
  return resumable ? `${share}; p2c migrate --resume ${id}` : share;
}
