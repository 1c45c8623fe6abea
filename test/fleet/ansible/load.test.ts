/** Which reader an Ansible inventory is given to. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type InventoryOptions, loadInventory } from '../../../src/fleet/inventory.ts';
import { Secret } from '../../../src/ssh/secret.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { vaultOf } from '../../helpers/vault.ts';

/** Names and addresses. */
async function hostsOf(t: ExecutionContext, name: string, text: string, options?: InventoryOptions): Promise<string[]> {
  const file = join(await temporaryFolder(t), name);
  await writeFile(file, text);
  return (await loadInventory(file, options)).hosts.map((host) => `${host.name} ${host.target.host}`);
}

const YAML = 'web:\n  hosts:\n    web1: { ansible_host: 10.0.0.1 }\n';

test('a YAML inventory that is a vault as a whole is opened', async (t) => {
  const vaultPasswords = [{ id: undefined, secret: async () => new Secret('geheim') }];
  for (const name of ['hosts.yml', 'hosts.yaml', 'hosts']) {
    t.deepEqual(await hostsOf(t, name, vaultOf(YAML, 'geheim'), { vaultPasswords }), ['web1 10.0.0.1'], name);
  }
  await t.throwsAsync(hostsOf(t, 'hosts.yml', vaultOf(YAML, 'geheim')), { code: 'inventory.vault' });
});

test('without an extension an inventory is YAML where it can be, and INI where it cannot', async (t) => {
  t.deepEqual(await hostsOf(t, 'hosts', YAML), ['web1 10.0.0.1']);
  t.deepEqual(await hostsOf(t, 'hosts', '---\nall: { hosts: { a: } }\n'), ['a a']);
  t.deepEqual(await hostsOf(t, 'hosts', 'web1 ansible_host=10.0.0.1\n'), ['web1 10.0.0.1']);
  t.deepEqual(await hostsOf(t, 'hosts', '[web]\nweb1\nweb2:2222\n'), ['web1 web1', 'web2 web2']);
  t.deepEqual(await hostsOf(t, 'hosts', 'web2:2222\n'), ['web2 web2']);
  t.deepEqual(await hostsOf(t, 'hosts.prod', '[web]\nweb1\n'), ['web1 web1'], 'another extension is INI');
  await t.throwsAsync(hostsOf(t, 'hosts', 'web:\n  host:\n    a:\n'), { message: /:2:3: the group 'web' has 'host'/ });
});
