/** Containers that share another's network (`--network container:NAME`): they have none of their own, and lose it with that one. */
import { usageError } from '../../errors.ts';
import type { Container } from '../container.ts';
import { listContainers } from '../containers.ts';

/** Names that are told. */
const SHOWN = 10;

/** @throws P2cError `network.shared` (usage) where others, running or not, have the container's network. */
export async function refuseWithDependents(root: string, { definition: { id, name } }: Container): Promise<void> {
  const all = await listContainers(root);
  const names = all.flatMap(({ definition }) => (definition.network.container === id ? [definition.name] : []));
  if (names.length === 0) return;
  throw usageError(`the network of the container '${name}' is also that of ${names.slice(0, SHOWN).join(', ')}`, {
    code: 'network.shared',
    hint: `remove ${names.length === 1 ? 'it' : 'them'} first; 'p2c rm -f ${name}' removes it all the same, and cuts the others off`,
  });
}

/** Those that share a network before those whose it is. */
export function dependentsFirst(containers: readonly Container[]): Container[] {
  const shares = ({ definition }: Container): number => (definition.network.container === undefined ? 1 : 0);
  return containers.toSorted((a, b) => shares(a) - shares(b));
}
