import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { leftIn, ownedName } from '../../src/runtime/owned-name.ts';
import { ownIdentity } from '../../src/runtime/process.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** Above pid_max (proc(5)): no process has it. */
const NOBODY = 4_194_305;

test('only what is named after a process that is gone is left over', async (t) => {
  const folder = await temporaryFolder(t);
  const { pid, startTime } = ownIdentity();
  const left = [
    `blob-${NOBODY}-0123456789ab`,
    // A random part of digits alone is no start time.
    `blob-${NOBODY}-012345678901`,
    `.unpack-${NOBODY}-77-aB3dE6`,
    // The number belongs to another process by now.
    `.gone-${pid}-${Number(startTime) - 1}-0123456789ab`,
  ];
  const stay = [
    ownedName('blob'),
    `.${ownedName('gone')}`,
    `uses-${pid}-0123456789ab`,
    'index.json',
    `notes-${NOBODY}.txt`,
    `-${NOBODY}-0123456789ab`,
    `blob-${NOBODY}-../x`.replace('/', '_'),
    'a'.repeat(64),
  ];
  for (const name of [...left, ...stay]) writeFileSync(join(folder, name), '');
  t.deepEqual((await leftIn(folder)).sort(), left.map((name) => join(folder, name)).sort());
  t.deepEqual(await leftIn(folder, 'p2c-'), []);
  writeFileSync(join(folder, `p2c-pipe-${NOBODY}-1-0123456789ab`), '');
  t.deepEqual(await leftIn(folder, 'p2c-'), [join(folder, `p2c-pipe-${NOBODY}-1-0123456789ab`)]);
  t.deepEqual(await leftIn(join(folder, 'missing')), []);
});
