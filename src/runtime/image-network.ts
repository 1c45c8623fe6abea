/** The address that an image asks for, by its labels: had where the user joins the network that it is meant for, and names none. */
import type { Image } from '../oci/image.ts';
import { RUN_LABELS } from '../oci/run-labels.ts';
import { parseAddress } from './network/address.ts';
import type { NetworkWish } from './network/resolve.ts';

/**
 * An image joins no network by its labels: a clone at its old address, beside the old server, is what its user decides on.
 * Labels that make no sense are passed over.
 */
export function networkFor({ config }: Pick<Image, 'config'>, wish: NetworkWish): NetworkWish {
  const labels = config.config?.Labels ?? {};
  const address = labels[RUN_LABELS.ip] ?? '';
  const meant = labels[RUN_LABELS.network] ?? 'bridge';
  const [joined, ...others] = wish.networks;
  if (wish.address !== undefined || joined !== meant || others.length > 0) return wish;
  if (joined === 'none' || joined === 'host' || parseAddress(address) === undefined) return wish;
  return { ...wish, address };
}
