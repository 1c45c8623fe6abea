import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../../src/oci/files.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('folders are made with those above them, and one that is there is left as it is', async (t) => {
  const path = join(await temporaryFolder(t), 'a/b/c');
  await makeFolder(path, 0o700);
  t.is(statSync(path).mode & 0o777, 0o700);
  await makeFolder(path, 0o755);
  t.is(statSync(path).mode & 0o777, 0o700);
});

test('where none can be made, it ends with an error', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  for (const path of ['file', 'file/below', 'dangling', 'dangling/below']) {
    await t.throwsAsync(makeFolder(join(folder, path)), undefined, path);
  }
  // Node's own recursive mkdir never comes back from this one.
  await t.throwsAsync(makeFolder('/proc/nope/x'), { code: 'ENOENT' });
});
