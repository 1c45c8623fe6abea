/** What processes that are gone left in a store: begun, and never to be finished. Nobody reads any of it. */
import { join } from 'node:path';
import { namesIn } from '../oci/files.ts';
import { containersFolder } from './container.ts';
import { abandonedFolders } from './containers.ts';
import { leftIn } from './owned-name.ts';
import { snapshotsFolder } from './snapshot.ts';

/** @returns whole paths. */
export async function storeLeftovers(root: string): Promise<string[]> {
  const volumes = join(root, 'volumes');
  const found = [
    ...(await leftIn(join(root, 'tmp'))),
    ...(await leftIn(snapshotsFolder(root))),
    ...(await leftIn(volumes)),
    ...(await leftIn(join(containersFolder(root), 'names'))),
    ...(await abandonedFolders(root)),
  ];
  for (const name of await namesIn(volumes))
    if (!name.startsWith('.')) found.push(...(await leftIn(join(volumes, name))));
  return found;
}
