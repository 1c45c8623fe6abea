/** Who has an address: host-local knows containers by their IDs alone, and asks only when one starts. */
import { type P2cError, usageError } from '../../errors.ts';
import { type Container, type State, stateIfKnown } from '../container.ts';
import { listContainers } from '../containers.ts';
import { addressesOf, knownNetworkRecord } from './record.ts';

/** An address, or the wish for it. */
export interface AddressClaim {
  readonly network: string;
  readonly address: string;
  /** ID of the container that claims it, where it is made already. */
  readonly own?: string | undefined;
}

interface Holder {
  readonly container: Container;
  readonly status: State['status'];
}

/** Containers other than the claim's own that have the address or ask for it, those that ended and were created included. */
export async function claimants(root: string, claim: AddressClaim): Promise<Holder[]> {
  const found: Holder[] = [];
  for (const container of await listContainers(root)) {
    if (container.definition.id === claim.own || !(await claims(container, claim))) continue;
    const state = await stateIfKnown(container.folder);
    if (state !== undefined) found.push({ container, status: state.status });
  }
  return found;
}

async function claims({ folder, definition }: Container, { network, address }: AddressClaim): Promise<boolean> {
  const asked = definition.network;
  if (asked.networks[0] === network && asked.address === address) return true;
  const attachments = (await knownNetworkRecord(folder))?.attachments ?? [];
  return attachments.some((each) => each.list.name === network && addressesOf(each).includes(address));
}

/** Before a container is made. A stopped one holds no address. @throws P2cError `network.address-in-use` (usage). */
export async function refuseTakenAddress(root: string, claim: AddressClaim): Promise<void> {
  const holder = (await claimants(root, claim)).find(({ status }) => status !== 'exited');
  if (holder !== undefined) throw addressInUse(claim, holder);
}

export function addressInUse({ network, address }: AddressClaim, { container, status }: Holder): P2cError {
  const { name } = container.definition;
  const created = status === 'created';
  const who = created ? `the container '${name}', not started yet, asks for it` : `the container '${name}' has it`;
  return usageError(`the address ${address} of the network '${network}' is taken: ${who}`, {
    code: 'network.address-in-use',
    hint: `another address with --ip, or '${created ? 'p2c rm' : 'p2c stop'} ${name}' before`,
  });
}
