/** The containers that a verb's words name, found before anything is done to the first. */
import { usageError } from '../errors.ts';
import type { Container } from '../runtime/container.ts';
import { findContainer, listContainers } from '../runtime/containers.ts';

/**
 * @param all whether all containers are meant, and no words are expected.
 * @throws P2cError `usage`, `container.unknown`, `container.ambiguous`.
 */
export async function namedContainers(root: string, words: readonly string[], all = false): Promise<Container[]> {
  if (all && words.length > 0) throw usageError('--all means every container, and none is named', { code: 'usage' });
  if (all) return listContainers(root);
  if (words.length === 0) throw usageError('no container is named', { code: 'usage', hint: "'p2c ps -a' lists them" });
  const found: Container[] = [];
  for (const word of words) found.push(await findContainer(root, word));
  return found;
}

/** @throws P2cError `usage` where not just one is named. */
export async function namedContainer(root: string, words: readonly string[]): Promise<Container> {
  if (words.length > 1) throw usageError(`one container is expected, not ${words.length}`, { code: 'usage' });
  const [container] = await namedContainers(root, words);
  if (container === undefined) throw usageError('no container is named', { code: 'usage' });
  return container;
}
