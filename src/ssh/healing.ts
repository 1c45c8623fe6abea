/** What may go well a moment later, and how long such a moment is. */
import { setTimeout } from 'node:timers/promises';
import { P2cError } from '../errors.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** Milliseconds before the nth try after a failure, from 1: doubled each time. */
export function pauseBefore(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
}

/** True where the same may go well a moment later: the link, and not what was asked for, failed. */
export function mayHeal(error: unknown): error is P2cError {
  return error instanceof P2cError && HEALING.has(error.code);
}

const HEALING = new Set([
  'ssh.lost',
  'ssh.channel',
  'ssh.refused',
  'ssh.unreachable',
  'ssh.timeout',
  'ssh.failed',
  'ssh.unknown-host',
  'ssh.jump',
]);

/** @throws the signal's reason as soon as it is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch {
    signal?.throwIfAborted();
  }
}
