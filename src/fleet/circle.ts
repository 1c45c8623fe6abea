/** Hosts that come after each other in a circle. */
import { usageError } from '../errors.ts';
import type { FleetHost } from './host.ts';
import type { QueuedHost } from './queue.ts';

type Waiting = QueuedHost & Pick<FleetHost, 'place'>;

/** @throws P2cError `fleet.circle`, with all circles: hosts that wait for each other would wait for ever. */
export function requireNoCircle(hosts: readonly Waiting[]): void {
  const circles = circlesOf(hosts);
  if (circles.length === 0) return;
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const lines = circles.map((circle) => {
    const place = byName.get(circle[0] ?? '')?.place?.('after');
    const told = `hosts wait for each other: ${[...circle, circle[0]].join(' after ')}`;
    return place === undefined ? told : `${place}: ${told}`;
  });
  throw usageError(lines.join('\n'), {
    code: 'fleet.circle',
    hint: `take one of ${circles.length === 1 ? 'these' : "each circle's"} 'after:' out of the inventory`,
  });
}

/** Each once, as names that come after the next one, and the last after the first. */
function circlesOf(hosts: readonly QueuedHost[]): string[][] {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const seen = new Set<string>();
  const circles: string[][] = [];
  const visit = (name: string, way: readonly string[]): void => {
    const from = way.indexOf(name);
    if (from >= 0) circles.push(way.slice(from));
    if (from >= 0 || seen.has(name)) return;
    seen.add(name);
    for (const next of byName.get(name)?.after ?? []) if (byName.has(next)) visit(next, [...way, name]);
  };
  for (const { name } of hosts) visit(name, []);
  return circles;
}
