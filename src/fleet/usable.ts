/** Hosts of an inventory that p2c cannot go to, and why: that is nobody's matter but of those who choose them. */
import { usageError } from '../errors.ts';
import type { FleetHost } from './host.ts';

const MISTAKES_TOLD = 50;

/** A line for each mistake. What a group says wrongly is said of each of its hosts: each has its line. */
export function mistakesOf(hosts: readonly FleetHost[]): string[] {
  const lines = hosts.flatMap(({ mistake }) => mistake?.message.split('\n') ?? []);
  const left = lines.length - MISTAKES_TOLD;
  return left > 0 ? [...lines.slice(0, MISTAKES_TOLD), `… and ${left} more`] : lines;
}

/** @throws P2cError with all mistakes of the hosts that cannot be used. */
export function requireUsable(hosts: readonly FleetHost[]): void {
  const first = hosts.find(({ mistake }) => mistake !== undefined)?.mistake;
  if (first === undefined) return;
  throw usageError(mistakesOf(hosts).join('\n'), {
    code: first.code,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}
