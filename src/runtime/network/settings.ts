/** What a container has of its networks now, as people and programs see it. */
import { networkId } from './networks.ts';
import type { Port } from './ports.ts';
import { readNetworkRecord } from './record.ts';

export interface NetworkSettings {
  readonly networks: readonly {
    readonly name: string;
    readonly id: string;
    /** In the container. */
    readonly interface: string;
    readonly address: string;
    readonly prefix: number;
    /** Empty where there is no way out. */
    readonly gateway: string;
    readonly mac: string;
  }[];
  /** Published ones. */
  readonly ports: readonly Port[];
}

/** @param folder the container's. Without networks where it does not run. */
export async function networkSettings(folder: string): Promise<NetworkSettings> {
  const attachments = (await readNetworkRecord(folder))?.attachments ?? [];
  return {
    networks: attachments.map(({ list, options, result }) => {
      const [address = '', prefix = '0'] = (result?.ips[0]?.address ?? '').split('/');
      return {
        name: list.name,
        id: networkId(list.name),
        interface: options.interfaceName,
        address,
        prefix: Number(prefix),
        gateway: result?.ips[0]?.gateway ?? '',
        // The one in the container: those on this machine are in no sandbox.
        mac: result?.interfaces.find(({ sandbox = '' }) => sandbox !== '')?.mac ?? '',
      };
    }),
    ports: attachments.flatMap(({ ports }) => ports),
  };
}

/** `0.0.0.0:8080->80/tcp`, as podman writes it. */
export function portText({ hostIP, hostPort, containerPort, protocol }: Port): string {
  return `${hostIP ?? '0.0.0.0'}:${hostPort}->${containerPort}/${protocol}`;
}
