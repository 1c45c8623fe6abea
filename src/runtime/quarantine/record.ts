/** What a container's quarantine holds back: `quarantine.json` in its folder, gone once all is released. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../../errors.ts';
import { type Hold, holdSchema } from './hold.ts';

const FILE = 'quarantine.json';

/** Undefined for a container that is in no quarantine. */
export async function readHolds(folder: string): Promise<Hold[] | undefined> {
  try {
    return z.array(holdSchema).parse(JSON.parse(await readFile(join(folder, FILE), 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeHolds(folder: string, holds: readonly Hold[] | undefined): Promise<void> {
  const path = join(folder, FILE);
  if (holds === undefined) return rm(path, { force: true });
  const temporary = join(folder, `.quarantine-${process.pid}`);
  await writeFile(temporary, JSON.stringify(holds, undefined, 2), { mode: 0o600 });
  await rename(temporary, path);
}
