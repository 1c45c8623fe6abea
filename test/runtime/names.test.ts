import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { containersFolder } from '../../src/runtime/container.ts';
import { reserve } from '../../src/runtime/containers.ts';
import { giveNameBack, holderOf, staleNames } from '../../src/runtime/names.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function store(t: ExecutionContext): Promise<{ root: string; names: string }> {
  const root = await temporaryFolder(t);
  const names = join(containersFolder(root), 'names');
  mkdirSync(names, { recursive: true });
  return { root, names };
}

test('a name is whole from the moment that it is there, and has one holder', async (t) => {
  const { root, names } = await store(t);
  const { id } = await reserve(root, 'c');
  t.deepEqual(readdirSync(names), ['c']);
  t.is(readFileSync(join(names, 'c'), 'utf8'), id);
  await t.throwsAsync(reserve(root, 'c'), { code: 'container.name-in-use' });
  t.is(await holderOf(root, 'c'), id);
  t.deepEqual(readdirSync(names), ['c']);
});

test('of several that find a stale name, one gets it', async (t) => {
  const { root, names } = await store(t);
  for (let round = 0; round < 5; round += 1) {
    writeFileSync(join(names, 'c'), 'a'.repeat(64));
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => reserve(root, 'c')));
    const made = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []));
    t.is(made.length, 1);
    t.deepEqual(made, [await holderOf(root, 'c')]);
    for (const id of made) rmSync(join(containersFolder(root), id), { recursive: true });
  }
});

test('a name without an ID is somebody’s for a minute, and stale then', async (t) => {
  const { root, names } = await store(t);
  for (const text of ['', '\0'.repeat(64)]) {
    writeFileSync(join(names, 'c'), text);
    t.deepEqual(await staleNames(root), []);
    await t.throwsAsync(reserve(root, 'c'), { code: 'container.name-in-use' });
    const longAgo = Date.now() / 1000 - 120;
    utimesSync(join(names, 'c'), longAgo, longAgo);
    t.deepEqual(await staleNames(root), ['c']);
    const { id } = await reserve(root, 'c');
    // Another's end takes nothing of it.
    await giveNameBack(root, 'c', 'a'.repeat(64));
    t.is(await holderOf(root, 'c'), id);
    await giveNameBack(root, 'c', id);
    t.is(await holderOf(root, 'c'), undefined);
  }
});
