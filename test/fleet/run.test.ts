/** What is noted without waiting, and cannot be written: whose failure it is. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Run } from '../../src/fleet/run.ts';
import { runFolder } from '../../src/fleet/runs.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const RUN = '20261121-220000-abcd';

test('a line of one host that could not be written fails that host, once, and no other', async (t) => {
  const root = await temporaryFolder(t);
  await using run = await Run.open(runFolder(root, RUN), RUN);
  const probe = await open(join(root, 'probe'), 'a');
  const kind: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const { appendFile } = kind;
  kind.appendFile = async () => {
    kind.appendFile = appendFile;
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  run.note({ event: 'note', host: 'full', line: 'lost' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  run.note({ event: 'note', host: 'well', line: 'written' });
  await t.notThrowsAsync(run.recorded('well'));
  await t.throwsAsync(run.recorded('full'), { code: 'store.full' });
  await t.notThrowsAsync(run.recorded('full'), 'its next attempt does not fail of it again');
  await t.notThrowsAsync(run.recorded());
});
