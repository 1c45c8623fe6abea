/** Makes the networks that come with their first use, for a container that is sure to be made. */
import { networkOrNew } from './create.ts';
import type { NetworkRequest } from './request.ts';
import { checkAddress, isolationOfNew } from './resolve.ts';

/** @throws P2cError `network.*`: another may have made one meanwhile, with a subnet of its own. */
export async function provideNetworks(root: string, { networks, address }: NetworkRequest): Promise<void> {
  for (const [at, name] of networks.entries()) {
    const isolated = isolationOfNew(name);
    if (isolated === undefined) continue;
    const network = await networkOrNew(root, name, isolated);
    if (at === 0) checkAddress(network, address);
  }
}
