/** What another program makes of the times of an adaptation's layer. */
import { execFile } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { adapted } from '../helpers/adapting.ts';
import { LAYER_OF_TIMES, TIMES } from '../helpers/old-times.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

test('umoci unpacks what is edited with the time that it had', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['umoci'])) return;
  const { root } = await adapted(t, [LAYER_OF_TIMES]);
  const bundle = join(await temporaryFolder(t), 'bundle');
  await run('umoci', ['unpack', '--image', `${root}:test:adapted`, bundle]);
  for (const [path, time] of Object.entries(TIMES)) {
    t.is(lstatSync(join(bundle, 'rootfs', path)).mtimeMs / 1000, time, path);
  }
});
