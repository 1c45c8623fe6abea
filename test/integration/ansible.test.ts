/** Ansible inventories, held against what Ansible itself makes of the same files. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { loadAnsible } from '../../src/fleet/ansible/load.ts';
import { ALL } from '../../src/fleet/ansible/tree.ts';
import { type AnsibleValue, Unsafe, Vaulted } from '../../src/fleet/ansible/value.ts';
import { Vault } from '../../src/fleet/ansible/vault.ts';
import { loadInventory } from '../../src/fleet/inventory.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { cli } from '../helpers/cli.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const PASSWORD = 'correct horse';

const INI = `# the old data centre
gateway.example ansible_port=2222
web0 ansible_host=10.0.0.9 note="a # is no comment" n=5 f=2.5 l="['a', 1]" t=True name='it is'   # but this is

[web]
web[01:03].example:2200 ansible_user=deploy
web0

[db]
db-[a:c]
[fe80::1]:22

[db:vars]
ansible_user=postgres
ratio = 0.5
text = with spaces and = signs
ansible_group_priority=10
port = 2200   # no part of the number
said = with a # in it
joined="a" "b"
unicode=u'x'
much=1_000_000
odd='it''s'

[prod:children]
web
db

[prod:vars]
ansible_ssh_common_args='-o ProxyJump=ann@gateway.example:2222 -o StrictHostKeyChecking=no'
ansible_become=yes
site=old

[all:vars]
site=all
everywhere=1
`;

const YAML = `usual:
  vars: &usual { from: usual, kept: 1 }
stage: &stage
  vars: { level: stage }
  hosts: { shared: { <<: *usual, kept: 2, day: 2026-01-02 } }
merged:
  <<: [*stage, { vars: { level: none } }]
  children: &below { y: { hosts: { n: } } }
again:
  children: *below
all:
  vars: { site: all, flag: yes }
  hosts:
    mail: { ansible_host: 10.1.0.5 }
  children:
    web:
      hosts:
        "web[1:3]": { ansible_port: 2200 }
      vars: { ansible_user: deploy, layered: web }
    shop:
      children:
        web:
        db:
          hosts: { db1: null, mail: null }
          vars: { layered: db }
      vars: { layered: shop, nested: { a: [1, 2] } }
    empty:
standalone:
  hosts: lonely
`;

/** Files that lie beside either. */
const BESIDE = {
  'group_vars/all.yml': 'site: files\nfrom_all: 1\n',
  'group_vars/web/a.yml': 'ansible_user: files\nlater: a\n',
  'group_vars/web/b.yml': 'later: b\n',
  'group_vars/web/ignored.txt': 'later: c\n',
  'host_vars/web0.yaml': 'ansible_host: 192.0.2.7\n',
  'host_vars/db1': 'p2c_tag: "old/{{host}}:1"\np2c_profiles: [postgresql]\n',
};

async function inventory(t: ExecutionContext, name: string, text: string): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [path, content] of Object.entries({ ...BESIDE, 'ansible.cfg': '[defaults]\n', [name]: text })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return join(folder, name);
}

async function ansible(program: string, args: readonly string[], file: string): Promise<string> {
  const env = {
    ...process.env,
    ANSIBLE_CONFIG: join(dirname(file), 'ansible.cfg'),
    ANSIBLE_LOCALHOST_WARNING: 'no',
    LC_ALL: 'C.UTF-8',
  };
  return (await run(program, [...args], { cwd: dirname(file), env, maxBuffer: 2 ** 24 })).stdout;
}

const Listed = z.looseObject({
  _meta: z.object({ hostvars: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

function plain(value: AnsibleValue): unknown {
  return value instanceof Vaulted || value instanceof Unsafe ? value.toJSON() : value;
}

for (const [name, text] of [
  ['hosts', INI],
  ['hosts.yml', YAML],
] as const) {
  test(`${name}: groups and variables are Ansible's`, async (t) => {
    if (!requirePrograms(t, ['ansible-inventory', 'ansible'])) return;
    const file = await inventory(t, name, text);
    const listed = Listed.parse(JSON.parse(await ansible('ansible-inventory', ['-i', file, '--list'], file)));
    const { tree, files } = await loadAnsible(file, new Vault([]));
    for (const [host, variables] of Object.entries(listed._meta.hostvars)) {
      const ours = [...tree.variablesOf(host, files)].map(([key, value]) => [key, plain(value)]);
      // Ansible keeps this one to itself.
      const seen = ours.filter(([key]) => key !== 'ansible_group_priority');
      t.deepEqual(Object.fromEntries(seen), variables, host);
    }
    t.deepEqual([...tree.hosts.keys()].sort(), (await hostsOf('all', file)).sort());
    t.deepEqual(tree.hostsOf(ALL).length, tree.hosts.size);
    const graph = await cli(['inventory', 'graph', '-i', file]);
    t.is(graph.stdout, await ansible('ansible-inventory', ['-i', file, '--graph'], file), graph.stderr);
  });
}

async function hostsOf(pattern: string, file: string): Promise<string[]> {
  const said = await ansible('ansible', ['-i', file, pattern, '--list-hosts'], file);
  return said
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

test("patterns mean Ansible's hosts", async (t) => {
  if (!requirePrograms(t, ['ansible'])) return;
  const file = await inventory(t, 'hosts', INI);
  const patterns = [
    'all',
    'web',
    'web*',
    '*.example:!web',
    'prod:&web',
    'web:db:!web02.example',
    'web[0]',
    'db[1:2]',
    'web[-1]',
  ];
  const harder = ['~web0[12]', 'web[1-2]', 'web0,db-a', 'db-[ab]', 'web[1:]', '!web', 'ungrouped', 'prod[0:1]'];
  await Promise.all(
    [...patterns, ...harder].map(async (pattern) => {
      const ours = await cli(['inventory', 'ls', '-i', file, '--json', '--', pattern]);
      t.is(ours.code, 0, `${pattern}: ${ours.stderr}`);
      const names = JSON.parse(ours.stdout).map((host: { name: string }) => host.name);
      t.deepEqual(names.sort(), (await hostsOf(pattern, file)).sort(), pattern);
    }),
  );
});

test('hosts are reached as the inventory says', async (t) => {
  const file = await inventory(t, 'hosts', INI);
  const { hosts, notes } = await loadInventory(file);
  const web = hosts.find((host) => host.name === 'web01.example');
  t.like(web?.target, { host: 'web01.example', port: 2200, user: 'deploy' });
  t.deepEqual(web?.connection, { jump: 'ann@gateway.example:2222', become: 'sudo' });
  t.deepEqual(web?.groups, ['prod', 'web']);
  t.is(hosts.find((host) => host.name === 'web0')?.target.host, '192.0.2.7');
  t.deepEqual(notes, ['-o StrictHostKeyChecking of ansible_ssh_common_args is left aside']);
  const db = (await loadInventory(await inventory(t, 'hosts.yml', YAML))).hosts.find((host) => host.name === 'db1');
  t.deepEqual([db?.tag, db?.profiles], ['old/db1:1', ['postgresql']]);
});

test('vaults are opened when they are needed, by the password that is theirs', async (t) => {
  if (!requirePrograms(t, ['ansible-vault'])) return;
  const file = await inventory(t, 'hosts', '[locked]\nweb1\n[other]\nother1\n');
  const folder = dirname(file);
  const secret = join(folder, '.password');
  await writeFile(secret, `${PASSWORD}\n`);
  const encrypt = (name: string, value: string, id: string) =>
    ansible(
      'ansible-vault',
      ['encrypt_string', '--vault-id', `${id}@${secret}`, '--encrypt-vault-id', id, '--name', name, value],
      file,
    );
  await writeFile(
    join(folder, 'group_vars/locked.yml'),
    `${await encrypt('ansible_password', 'hunter2 ü', 'prod')}\n${await encrypt('unused', 'x', 'default')}\nansible_user: "{{ who }}"\n`,
  );
  await mkdir(join(folder, 'host_vars/web1'), { recursive: true });
  const whole = join(folder, 'host_vars/web1/vault.yml');
  await writeFile(whole, 'who: ann\nansible_become: true\nansible_become_pass: "{{ ansible_password }}"\n');
  await ansible('ansible-vault', ['encrypt', '--vault-password-file', secret, whole], file);
  const password = { id: undefined, secret: async () => new Secret(PASSWORD) };
  const { hosts } = await loadInventory(file, { vaultPasswords: [password] });
  const web = hosts.find((host) => host.name === 'web1');
  t.is(web?.target.user, 'ann');
  t.is((await web?.connection.password?.())?.reveal(), 'hunter2 ü');
  t.is((await web?.connection.becomePassword?.())?.reveal(), 'hunter2 ü');
  const none = await cli(['inventory', 'ls', '-i', file]);
  t.is(none.code, 2);
  t.regex(none.stderr, /host_vars\/web1\/vault\.yml is locked in a vault.*--vault-password-file/s);
  const wrong = { id: undefined, secret: async () => new Secret('wrong') };
  await t.throwsAsync(loadInventory(file, { vaultPasswords: [wrong] }), {
    message: /no given password opens the vault/,
  });
  for (const words of [
    ['--vault-password-file', secret],
    ['--vault-id', `prod@${secret}`],
  ]) {
    const listed = await cli(['inventory', 'ls', '-i', file, 'locked', ...words]);
    t.is(listed.code, 0, listed.stderr);
    t.regex(listed.stdout, /ann@web1/);
    t.notRegex(listed.stdout, /hunter2/);
  }
  const program = join(folder, 'ask');
  await writeFile(program, `#!/bin/sh\necho '${PASSWORD}'\n`);
  await chmod(program, 0o755);
  t.is((await cli(['inventory', 'check', '-i', file, '--vault-password-file', program])).code, 0);
});

test('limits: a pattern, and a file of names; and hosts that are not reached by ssh', async (t) => {
  const file = await inventory(t, 'hosts', INI);
  const failed = join(dirname(file), 'failed.retry');
  await writeFile(failed, '# failed\nweb0\ndb-b\n');
  const limited = await cli([
    'inventory',
    'ls',
    '-i',
    file,
    'prod',
    '--limit',
    `@${failed}`,
    '--limit',
    '!db',
    '--json',
  ]);
  t.deepEqual(
    JSON.parse(limited.stdout).map((host: { name: string }) => host.name),
    ['web0'],
  );
  const nobody = await cli(['inventory', 'ls', '-i', file, 'db', '--limit', 'web']);
  t.is(nobody.code, 2);
  t.regex(nobody.stderr, /no host of .* is meant/);
  // Nothing had failed, say: an empty list is not all hosts.
  await writeFile(failed, '# failed\n\n');
  for (const [words, message] of [
    [['--limit', `@${failed}`], /--limit @.*failed\.retry names no host\n.*'all'/],
    [['--limit', ' , '], /--limit {2}, {2}names no host/],
    [[''], /the pattern is empty/],
  ] as const) {
    const none = await cli(['inventory', 'ls', '-i', file, ...words]);
    t.is(none.code, 2, none.stdout);
    t.regex(none.stderr, message);
  }
  const local = await inventory(t, 'hosts', 'here ansible_connection=local\n');
  t.regex((await cli(['inventory', 'check', '-i', local])).stderr, /ansible_connection of the host 'here' is 'local'/);
  const typo = await inventory(t, 'hosts', 'web p2c_tga=x\n');
  t.regex((await cli(['inventory', 'check', '-i', typo])).stderr, /p2c_tga of the host 'web' is not known.*'tag'/);
});
