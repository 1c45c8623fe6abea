import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { lock } from '../../src/oci/lock.ts';
import { seedVolume } from '../../src/runtime/volumes/seed.ts';
import { ensureVolume, volumeFolder } from '../../src/runtime/volumes/volumes.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('who fills a volume locks a file in its folder, and not the folder, which not all filesystems can lock', async (t) => {
  const root = await temporaryFolder(t);
  const container = join(root, 'containers', 'c1');
  await mkdir(container, { recursive: true });
  await ensureVolume(root, 'data', { anonymous: false });
  const folder = volumeFolder(root, 'data');
  const used = async (): Promise<unknown> => JSON.parse(await readFile(join(folder, 'volume.json'), 'utf8')).used;
  const held = await lock(join(folder, '.lock'));
  await using _ = await lock(folder);
  const seeding = seedVolume(root, 'data', container, undefined, '/srv');
  await setTimeout(1000);
  t.is(await used(), false, 'it is waited for');
  await held[Symbol.asyncDispose]();
  await seeding;
  t.is(await used(), true);
  t.true((await stat(join(folder, '.lock'))).isFile());
});
