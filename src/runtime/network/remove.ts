/** Takes a network away. */
import { usageError } from '../../errors.ts';
import type { Container } from '../container.ts';
import { listContainers } from '../containers.ts';
import { removeContainer } from '../end.ts';
import { deleteNetwork } from './networks.ts';
import { networkLock, removeLeases } from './run-folder.ts';

/**
 * @param force whether its containers are killed and removed.
 * @throws P2cError `network.in-use` (usage) while a container, running or not, is made for it.
 */
export async function removeNetwork(root: string, name: string, force: boolean): Promise<void> {
  if (force) for (const container of await containersOf(root, name)) await removeContainer(root, container, true);
  await using _ = await networkLock();
  const users = await containersOf(root, name);
  if (users.length > 0) {
    const names = users.map(({ definition }) => definition.name);
    throw usageError(
      `${names.length === 1 ? 'a container is' : `${names.length} containers are`} on the network '${name}': ${names.slice(0, 10).join(', ')}`,
      {
        code: 'network.in-use',
        hint: `'p2c network rm -f ${name}' removes them too`,
      },
    );
  }
  await deleteNetwork(root, name);
  await removeLeases(root, name);
}

async function containersOf(root: string, name: string): Promise<Container[]> {
  return (await listContainers(root)).filter(({ definition }) => definition.network.networks.includes(name));
}
