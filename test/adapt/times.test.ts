import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { layerHeaders } from '../../src/adapt/layer-headers.ts';
import { validateLayout } from '../../src/oci/validation/layout.ts';
import { adapted } from '../helpers/adapting.ts';
import { LAYER_OF_TIMES, TIMES } from '../helpers/old-times.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('what is edited keeps its time, before 1970 and after 2038, 2072 and 2106', async (t) => {
  const { image, root } = await adapted(t, [LAYER_OF_TIMES]);
  const { faults } = await validateLayout(root);
  t.deepEqual(
    faults.filter(({ code }) => code.startsWith('layer.')),
    [],
  );
  const file = join(root, 'blobs/sha256', image.manifest.layers.at(-1)?.digest.slice(7) ?? '');

  const read: Record<string, number> = {};
  for await (const batch of layerHeaders({ path: file })) for (const { name, mtime } of batch) read[name] = mtime;
  const unpacked = join(await temporaryFolder(t), 'unpacked');
  mkdirSync(unpacked);
  // It warns of such times.
  execFileSync('tar', ['-xf', file, '-C', unpacked], { stdio: 'ignore' });

  for (const [path, time] of Object.entries(TIMES)) {
    t.is(read[path === './' ? path : `./${path}`], time, path);
    t.is(lstatSync(join(unpacked, path)).mtimeMs / 1000, time, path);
  }
});

test('of a time the whole seconds are kept', async (t) => {
  const { after } = await adapted(t, [LAYER_OF_TIMES]);
  t.is(after.tree.at('/etc/modules')?.mtime, -2);
});
