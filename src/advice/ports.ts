/** The ports by which other machines reach the server's applications. */
import type { Port } from '../profiles/scalars.ts';
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { Listener } from '../source/inspection/sockets.ts';

/** What belongs to a machine and not to its applications: a container is reached, timed and addressed by its host. */
const MACHINES_OWN =
  /^(?:sshd|dropbear|rpcbind|portmap|rpc\.\w+|dhclient\d*|dhcpcd|udhcpc|NetworkManager|systemd-\w*|ntpd|chronyd|avahi-daemon|cupsd|cups-browsed|xinetd|inetd)$/;

function isMachinesOwn(name: string): boolean {
  return MACHINES_OWN.test(name);
}

/** Listeners that other machines reach and that a process owns which is an application. */
export function applicationListeners({ listeners }: Inspection): Listener[] {
  return valueOr(listeners, []).filter(
    ({ owners }) => owners.length > 0 && owners.every(({ name }) => !isMachinesOwn(name)),
  );
}

export function proposedPorts(inspection: Inspection): Port[] {
  const reached = applicationListeners(inspection).filter(({ address }) => !isLoopback(address));
  const ports = reached.map(({ port, protocol }) => ({ port, protocol }));
  return ports.filter(
    (one, index) => ports.findIndex(({ port, protocol }) => port === one.port && protocol === one.protocol) === index,
  );
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
