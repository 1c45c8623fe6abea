/** What was done for a container's network, and so is to be undone: `network.json` in its folder. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../errors.ts';
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

/** Undefined where the container has no network, or has left it. */
export async function readNetworkRecord(folder: string): Promise<NetworkRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(folder, FILE), 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces it as a whole. */
export async function writeNetworkRecord(folder: string, record: NetworkRecord): Promise<void> {
  const temporary = join(folder, `.network-${process.pid}`);
  await writeFile(temporary, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  await rename(temporary, join(folder, FILE));
}

export async function removeNetworkRecord(folder: string): Promise<void> {
  await rm(join(folder, FILE), { force: true });
}

/** The container's own addresses in a network, without their prefixes. */
export function addressesOf({ result }: Attachment): string[] {
  return (result?.ips ?? []).map(({ address }) => address.replace(/\/\d+$/, ''));
}
