/** A run that was killed right after a host was done, before what that had kept for going on was given back. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runToResume, withRun } from '../../src/commands/run-plan.ts';
import { ExitCode } from '../../src/errors.ts';
import { Run } from '../../src/fleet/run.ts';
import { holderOf, hostFolder, readRun, runFolder } from '../../src/fleet/runs.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { version } from '../../src/version.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const RUN = '20261121-220000-abcd';
const NAMES = ['a', 'b', 'c'];
const HOSTS = NAMES.map((name) => ({ name, target: `root@${name}:22`, image: null }));

/** All its hosts have parts, and these are done. */
async function killedRun(t: ExecutionContext, done: readonly string[]): Promise<string> {
  const root = await temporaryFolder(t);
  await using store = await ImageStore.open(root, { create: true });
  await using run = await Run.open(runFolder(root, RUN), RUN);
  await run.record({ event: 'run-started', version: version(), verb: 'migrate', argv: [], folder: '/', hosts: HOSTS });
  for (const [index, host] of NAMES.entries()) {
    await using blob = await store.createBlob();
    await blob.write([Buffer.from(host)]);
    await store.hold(holderOf(RUN, index), (await blob.commit()).digest);
    await mkdir(hostFolder(run.folder, index), { recursive: true });
    await run.record({ event: 'host-started', host, attempt: 1 });
    if (done.includes(host)) await run.record({ event: 'host-done', host, exitCode: 0, milliseconds: 1, result: null });
  }
  return root;
}

const kept = async (root: string): Promise<string[][]> => [
  (await readdir(join(root, 'held'))).sort(),
  (await readdir(join(runFolder(root, RUN), 'hosts'))).sort(),
];

test('the run that goes on gives back what its done hosts kept, and no more', async (t) => {
  const root = await killedRun(t, ['a', 'c']);
  const resumed = await runToResume(root, 'migrate', '');
  await withRun({ root, verb: 'migrate', argv: [], hosts: HOSTS, resumed }, async () => {
    t.deepEqual(await kept(root), [[holderOf(RUN, 1)], ['1']]);
    return { exitCode: ExitCode.failed, done: 2, failed: 1 };
  });
});

for (const name of ['', RUN]) {
  test(`a run whose hosts are all done has nothing left, once ${name === '' ? 'any' : 'it'} is to be resumed`, async (t) => {
    const root = await killedRun(t, NAMES);
    await t.throwsAsync(runToResume(root, 'migrate', name), { code: name === '' ? 'run.unknown' : 'run.done' });
    t.deepEqual(await kept(root), [[], []]);
  });
}

test('what a process is at work with is left to it', async (t) => {
  const root = await killedRun(t, NAMES);
  await using _ = await Run.open(runFolder(root, RUN), RUN);
  await t.throwsAsync(runToResume(root, 'migrate', ''), { code: 'run.unknown' });
  t.is((await kept(root)).flat().length, 6);
  t.not(await readRun(root, RUN), undefined);
});
