/** Whether a run is under way: asked by any number at once, of whom none is taken for the one that works on it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { lockOf, Run } from '../../src/fleet/run.ts';
import { isUnderWay, runFolder } from '../../src/fleet/runs.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const RUN = '20261121-220000-abcd';

test('who looks at a run is not taken for who works on it', async (t) => {
  const root = await temporaryFolder(t);
  const folder = runFolder(root, RUN);
  const run = await Run.open(folder, RUN);
  t.true(await isUnderWay(root, RUN));
  await run[Symbol.asyncDispose]();
  // As long as anybody likes.
  const looking = spawn('flock', ['-s', lockOf(folder), 'sh', '-c', 'echo looking; read -r _'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(looking.stdout, 'data');
  t.false(await isUnderWay(root, RUN));
  looking.stdin.end();
  await once(looking, 'exit');
});
