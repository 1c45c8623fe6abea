/** A container whose records a power cut left empty: known for that, removable, and no other's trouble. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerCgroups } from '../../src/runtime/cgroup/container-cgroup.ts';
import { findContainer } from '../../src/runtime/containers.ts';
import { identifyProcess } from '../../src/runtime/process.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { pidsOf, type Runner, remains } from '../helpers/runner.ts';

const NOTHING = { files: ['names'], mounts: [], processes: [] };

async function empty(p2c: Runner, name: string, file: string): Promise<string> {
  const { folder, definition } = await findContainer(p2c.store.root, name);
  writeFileSync(join(folder, file), '');
  return definition.id;
}

for (const file of ['container.json', 'state.json', 'config.json', 'network.json']) {
  onEachEngine(`an empty ${file} stops no other container, and rm -f removes its own`, async (t, runner) => {
    const p2c = await runner(t);
    await p2c.ok('run', '--name', 'bad', 'test:latest', 'true');
    await p2c.ok('run', '--name', 'good', 'test:latest', 'true');
    const id = await empty(p2c, 'bad', file);
    const listed = await p2c.ok('ps', '-a');
    t.regex(listed, new RegExp(`${id.slice(0, 12)}.* damaged +bad`));
    t.regex(listed, /exited \(0\) +good/);
    t.is(await p2c.ok('run', '--rm', 'test:latest', 'echo', 'fine'), 'fine');
    await p2c.ok('start', 'good');
    const snapshots = join(p2c.store.root, 'snapshots/sha256');
    const before = readdirSync(snapshots);
    const cleaned = await p2c.call('doctor', '--clean');
    t.is(cleaned.code, 0, cleaned.stderr);
    t.regex(cleaned.stderr, new RegExp(`container bad is damaged and passed over: .*${file}`));
    const pruned = await p2c.call('prune', '-f', '-a');
    t.is(pruned.code, 0, pruned.stderr);
    t.regex(pruned.stderr, /container bad is damaged/);
    t.deepEqual(readdirSync(snapshots), before);
    // To be removed, one that has ended needs no bundle.
    const refused = await p2c.call(file === 'config.json' ? 'start' : 'rm', 'bad');
    t.not(refused.code, 0);
    t.regex(refused.stderr, new RegExp(`${file} is not what p2c writes[^]*hint: .*p2c rm -f ${id.slice(0, 12)}`));
    await p2c.ok('rm', '-f', file === 'state.json' ? 'bad' : id.slice(0, 12));
    t.notRegex(await p2c.ok('ps', '-a'), /bad/);
    await p2c.ok('run', '--rm', '--name', 'bad', 'test:latest', 'true');
    await p2c.ok('rm', '-f', 'good');
    t.deepEqual(remains(p2c), NOTHING);
  });
}

onEachEngine('one that runs is ended, with all it has', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const { init, monitor } = await pidsOf(p2c);
  const id = await empty(p2c, 'c', 'state.json');
  const cgroups = containerCgroups(id).map(({ path }) => path);
  t.true(cgroups.some((path) => existsSync(path)));
  await empty(p2c, 'c', 'container.json');
  await p2c.ok('rm', '-af');
  t.deepEqual([identifyProcess(init), identifyProcess(monitor)], [undefined, undefined]);
  t.deepEqual(
    cgroups.filter((path) => existsSync(path)),
    [],
  );
  t.deepEqual(remains(p2c), NOTHING);
});
