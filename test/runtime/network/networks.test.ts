import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { deleteNetwork, findNetwork, listNetworks, networkNamed } from '../../../src/runtime/network/networks.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

/** A store with files of networks; by their names without the ending what each calls itself. */
async function store(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder(t);
  mkdirSync(join(root, 'networks'));
  for (const [file, name] of Object.entries(files)) {
    const text = JSON.stringify({ cniVersion: '1.0.0', name, plugins: [{ type: 'bridge' }] });
    writeFileSync(join(root, 'networks', `${file}.conflist`), text);
  }
  return root;
}

test('a network is known by the name that it gives itself, whatever its file is named', async (t) => {
  const root = await store(t, { '10-web': 'web', own: 'own', other: 'own', blocked: 'elsewhere' });
  writeFileSync(join(root, 'networks/damaged.conflist'), '{');
  for (const name of ['web', 'own', 'elsewhere']) t.is((await findNetwork(root, name)).name, name);
  // It is not to be made anew over the file.
  t.is((await networkNamed(root, 'blocked'))?.name, 'elsewhere');
  t.is(await networkNamed(root, 'nosuch'), undefined);
  await deleteNetwork(root, 'web');
  await deleteNetwork(root, 'own');
  await deleteNetwork(root, 'nosuch');
  t.deepEqual(readdirSync(join(root, 'networks')).sort(), ['blocked.conflist', 'damaged.conflist', 'other.conflist']);
});

test('the longest names are listed', async (t) => {
  const names = [119, 120, 128].map((length) => 'n'.repeat(length));
  const root = await store(t, Object.fromEntries(names.map((name) => [name, name])));
  t.deepEqual(
    (await listNetworks(root)).map(({ name }) => name),
    names,
  );
});
