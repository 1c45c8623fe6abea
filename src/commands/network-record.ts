/** What `p2c network inspect` prints of a network: podman's form, with what podman has no word for added. */
import { type Conflist, leaseRange } from '../runtime/network/conflist.ts';
import { networkId } from '../runtime/network/networks.ts';

/** A list that was written by hand says less of itself. */
export function networkRecord({ name, plugins, p2c }: Conflist): object {
  const id = networkId(name);
  if (p2c === undefined) return { name, id, driver: plugins[0]?.type, plugins };
  const { start, end } = leaseRange(p2c);
  return {
    name,
    id,
    driver: p2c.driver,
    network_interface: p2c.interface,
    created: p2c.created,
    subnets: [{ subnet: p2c.subnet, gateway: p2c.gateway, lease_range: { start_ip: start, end_ip: end } }],
    ipv6_enabled: false,
    internal: p2c.internal || p2c.isolated,
    isolated: p2c.isolated,
    dns_enabled: true,
    ipam_options: { driver: 'host-local' },
  };
}
