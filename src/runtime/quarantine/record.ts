/** What a container's quarantine holds back: `quarantine.json` in its folder, gone once all is released. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { systemCode } from '../../errors.ts';
import { readRecord, replaceRecord } from '../container.ts';
import { type Hold, holdSchema } from './hold.ts';

const FILE = 'quarantine.json';

/** Undefined for a container that is in no quarantine. */
export async function readHolds(folder: string): Promise<Hold[] | undefined> {
  try {
    return await readRecord(join(folder, FILE), z.array(holdSchema));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeHolds(folder: string, holds: readonly Hold[] | undefined): Promise<void> {
  if (holds === undefined) return rm(join(folder, FILE), { force: true });
  await replaceRecord(folder, FILE, JSON.stringify(holds, undefined, 2), 0o600);
}
