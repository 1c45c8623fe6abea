/** What is worth beginning a whole host anew for, and after how long. */
import { P2cError } from '../errors.ts';
import { mayHeal } from '../ssh/healing.ts';

const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 300_000;

/** Beyond the link: another run holds the server or the store, or something killed its tar. */
const HEALING = new Set(['tar.killed', 'quiesce.busy', 'quiesce.lease-lost', 'store.busy']);

/** False where the same would happen again: a key that is not accepted, a disk that cannot be read, a failed stop. */
export function mayHealLater(error: unknown): boolean {
  return mayHeal(error) || (error instanceof P2cError && HEALING.has(error.code));
}

/** Milliseconds after the nth failure, from 1: four times as long each time. */
export function waitBefore(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 4 ** (failures - 1));
}
