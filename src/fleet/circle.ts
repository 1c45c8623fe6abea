/** Hosts that come after each other in a circle. */
import { usageError } from '../errors.ts';
import type { FleetHost } from './host.ts';
import type { QueuedHost } from './queue.ts';

type Waiting = QueuedHost & Pick<FleetHost, 'place'>;

/** A group whose hosts come after the group has as many as pairs of hosts; these tell what is wrong. */
const CIRCLES_TOLD = 10;
const NAMES_TOLD = 8;

/** @throws P2cError `fleet.circle`, with some of the circles: hosts that wait for each other would wait for ever. */
export function requireNoCircle(hosts: readonly Waiting[]): void {
  const circles = circlesOf(hosts, CIRCLES_TOLD + 1);
  if (circles.length === 0) return;
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const lines = circles.slice(0, CIRCLES_TOLD).map((circle) => {
    const place = byName.get(circle[0] ?? '')?.place?.('after');
    const told = `hosts wait for each other: ${described(circle)}`;
    return place === undefined ? told : `${place}: ${told}`;
  });
  throw usageError([...lines, ...(circles.length > CIRCLES_TOLD ? ['… and more'] : [])].join('\n'), {
    code: 'fleet.circle',
    hint: `take one of ${circles.length === 1 ? 'these' : "each circle's"} 'after:' out of the inventory`,
  });
}

/** `a after b after a`; of many, the first and the last. */
function described(circle: readonly string[]): string {
  const left = circle.length - NAMES_TOLD;
  const names = left <= 0 ? circle : [...circle.slice(0, NAMES_TOLD - 1), `(${left} more)`, ...circle.slice(-1)];
  return [...names, circle[0]].join(' after ');
}

/** A host on the way that is being walked, and those of its dependencies that are still to be looked at. */
interface Step {
  readonly name: string;
  readonly left: string[];
}

/** Each once, as names that come after the next one, and the last after the first. @param most ends the search. */
function circlesOf(hosts: readonly QueuedHost[], most: number): string[][] {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const seen = new Set<string>();
  const circles: string[][] = [];
  // Ten thousand hosts may come one after the other: no call of a function for each.
  const way: Step[] = [];
  const places = new Map<string, number>();
  const enter = (name: string): void => {
    seen.add(name);
    places.set(name, way.length);
    way.push({ name, left: (byName.get(name)?.after ?? []).filter((next) => byName.has(next)).reverse() });
  };
  for (const { name } of hosts) {
    if (!seen.has(name)) enter(name);
    for (let step = way.at(-1); step !== undefined && circles.length < most; step = way.at(-1)) {
      const next = step.left.pop();
      const from = next === undefined ? undefined : places.get(next);
      if (next === undefined) {
        way.pop();
        places.delete(step.name);
      } else if (from !== undefined) circles.push(way.slice(from).map((each) => each.name));
      else if (!seen.has(next)) enter(next);
    }
    if (circles.length >= most) break;
  }
  return circles;
}
