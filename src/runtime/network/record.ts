/** What was done for a container's network, and so is to be undone: `network.json` in its folder. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { systemCode } from '../../errors.ts';
import { readRecord, replaceRecord, unlessDamaged } from '../container.ts';
import { attachmentSchema, resultSchema } from './chain.ts';
import { conflistSchema } from './conflist.ts';
import { portSchema } from './ports.ts';

const attachment = z.object({
  /** As it was carried out: the network itself may be gone since. */
  list: conflistSchema,
  options: attachmentSchema,
  ports: z.array(portSchema),
  /** Missing where ADD was begun and p2c ended before it did. */
  result: resultSchema.optional(),
});
export type Attachment = z.output<typeof attachment>;

const recordSchema = z.object({
  /** The file of the container's network namespace. */
  namespace: z.string(),
  /** What the other containers of its networks call it. */
  names: z.array(z.string()),
  attachments: z.array(attachment),
});
export type NetworkRecord = z.output<typeof recordSchema>;

const FILE = 'network.json';

/** Undefined where the container has no network, or has left it. @throws P2cError `container.damaged`. */
export async function readNetworkRecord(folder: string): Promise<NetworkRecord | undefined> {
  try {
    return await readRecord(join(folder, FILE), recordSchema);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined too where it is damaged: for those who look at all containers. */
export async function knownNetworkRecord(folder: string): Promise<NetworkRecord | undefined> {
  return readNetworkRecord(folder).catch(unlessDamaged);
}

/** Replaces it as a whole. */
export async function writeNetworkRecord(folder: string, record: NetworkRecord): Promise<void> {
  await replaceRecord(folder, FILE, JSON.stringify(record, undefined, 2), 0o600);
}

export async function removeNetworkRecord(folder: string): Promise<void> {
  await rm(join(folder, FILE), { force: true });
}

/** The container's own addresses in a network, without their prefixes. */
export function addressesOf({ result }: Attachment): string[] {
  return (result?.ips ?? []).map(({ address }) => address.replace(/\/\d+$/, ''));
}
