/** What an Ansible inventory's variables become for a host, and what is told of those that are wrong. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { hostConnectOptions } from '../../../src/commands/host-connection.ts';
import { describeGraph, describeHosts, listedHost } from '../../../src/commands/inventory-text.ts';
import { P2cError } from '../../../src/errors.ts';
import { loadInventory } from '../../../src/fleet/inventory.ts';
import { selectHosts } from '../../../src/fleet/pattern.ts';
import { requireUsable } from '../../../src/fleet/usable.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

async function inventory(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return join(folder, 'hosts');
}

test("a tag's templates are names of the host's variables, beside p2c's own placeholders", async (t) => {
  const file = await inventory(t, {
    hosts: '[shop]\nWeb1.example ansible_host=10.0.0.1\nweb2 stage=test\n[shop:vars]\nstage=prod\n',
    'group_vars/shop.yml':
      "p2c_tag: 'shop/{{ site.name }}-{{ inventory_hostname_short }}/{{ host }}:{{ stage }}-{{date}}'\nsite: { name: fra }\n",
  });
  const { hosts } = await loadInventory(file, { today: new Date(2026, 10, 3) });
  t.deepEqual(
    hosts.map(({ tag }) => tag),
    ['shop/fra-Web1/web1.example:prod-2026-11-03', 'shop/fra-web2/web2:test-2026-11-03'],
  );
});

test('all mistakes of all hosts, each with where it comes from', async (t) => {
  const file = await inventory(t, {
    hosts: 'web p2c_tga=x p2c_order=soon\ndb p2c_after=nobody\nmail\n[old]\nmail\n[old:vars]\np2c_window=never\n',
    'group_vars/old.yml': 'p2c_tag: "{{ nothing }}"\n',
    'host_vars/ok.yml': 'p2c_tag: x\n',
  });
  const { hosts } = await loadInventory(file);
  const { message, exitCode } = t.throws(() => requireUsable(hosts), { instanceOf: P2cError });
  t.is(exitCode, 2);
  t.deepEqual(
    message.split('\n').map((line) => line.replace(file, 'hosts').replace(/: there are p2c_.*/, '')),
    [
      "hosts, the host web: p2c_tga of the host 'web' is not known (did you mean 'tag'?)",
      "hosts, the host web: p2c_order of the host 'web': expected a number, found 'soon'",
      "hosts, the host db: 'db' comes after 'nobody', and there is no host or group of that name",
      "hosts, group_vars of old: p2c_tag of mail refers to 'nothing', which has no value in the inventory",
    ],
  );
});

test('a host knows where the inventory says what of it', async (t) => {
  const file = await inventory(t, {
    hosts: '[shop]\nweb p2c_tag=x\n[shop:vars]\np2c_profiles=nginx\n',
    'group_vars/all.yml': 'p2c_after: []\n',
    'host_vars/web.yml': "p2c_window: 'daily 01:00-05:00'\n",
  });
  const [web] = (await loadInventory(file)).hosts;
  const places = (['tag', 'profiles', 'after', 'window', 'host'] as const).map((what) => web?.place?.(what));
  t.deepEqual(places, [
    `${file}, the host web`,
    `${file}, the variables of the group shop`,
    `${file}, group_vars of all`,
    `${file}, host_vars of web`,
    file,
  ]);
});

/** A line for each host. */
async function loginOf(file: string): Promise<string[]> {
  const { hosts } = await loadInventory(file);
  return Promise.all(
    hosts.map(async ({ name, connection }) => {
      try {
        return `${name}: ${(await connection.password?.())?.reveal()}`;
      } catch (error) {
        return `${name}: ${error instanceof P2cError ? `${error.message}\n${error.hint}` : String(error)}`;
      }
    }),
  );
}

test('a password with braces behind !unsafe is what it is; without it is refused, and told nobody', async (t) => {
  const file = await inventory(t, {
    hosts: 'a\nb\nc\nd\ne\n',
    'host_vars/a.yml': "ansible_password: !unsafe 'S3cr{{et'\n",
    'host_vars/b.yml': "secret: !unsafe 'S3cr{{et}}'\nansible_password: '{{ secret }}'\n",
    'host_vars/c.yml': "ansible_password: 'S3cr{{et'\n",
    'host_vars/d.yml': "ansible_password: '{{S3cret}}'\n",
    'host_vars/e.yml': "mine: 'S3cr{%et'\nansible_password: 'x{{ mine }}'\n",
  });
  const [a, b, ...refused] = await loginOf(file);
  t.deepEqual([a, b], ['a: S3cr{{et', 'b: S3cr{{et}}']);
  t.is(refused.length, 3);
  for (const line of refused) {
    t.regex(line, /host_vars of \w: ansible_password of \w (?:is a template|refers to a variable)/);
    t.notRegex(line, /S3cr/);
  }
});

test('a password that YAML takes for something else is not told', async (t) => {
  for (const value of ['*S3cret', '|S3cret', '@S3cret', '{S3cret}}']) {
    const text = `a: 1\nansible_password: ${value}\n`;
    const file = await inventory(t, { hosts: 'web\n', 'host_vars/web.yml': text });
    const error = await t.throwsAsync(loadInventory(file), { instanceOf: P2cError });
    t.regex(error.message, /web\.yml:[23]:\d+: /);
    t.notRegex(error.message, /S3cret/);
  }
});

test('a line of an INI file that is wrong is not told, for a password may be in it', async (t) => {
  for (const hosts of [
    'web ansible_password=My S3cret',
    "web ansible_password='S3cret",
    'web\n[web:vars]\n[web]\n[web:vars]\nansible_password: S3cret',
  ]) {
    const error = await t.throwsAsync(loadInventory(await inventory(t, { hosts })), { instanceOf: P2cError });
    t.regex(error.message, /:\d+: /);
    t.notRegex(error.message, /S3cret/);
  }
});

test('a ProxyCommand that p2c cannot follow is no direct way', async (t) => {
  const command = '-o ProxyCommand="sshpass -p S3cret ssh -W %h:%p gate"';
  const file = await inventory(t, { hosts: `web ansible_ssh_common_args='${command}'\n` });
  const refused = (await loadInventory(file)).hosts;
  const error = t.throws(() => requireUsable(refused), { instanceOf: P2cError });
  t.regex(error.message, /ansible_ssh_common_args of the host 'web' has a ProxyCommand.*ProxyJump/);
  t.notRegex(error.message, /S3cret/);
  const plain = await inventory(t, { hosts: "web ansible_ssh_extra_args='-J gate -o User=S3cret -C'\n" });
  const { hosts, notes } = await loadInventory(plain);
  t.deepEqual([hosts[0]?.jump, hosts[0]?.connection.jump], ['gate', 'gate']);
  t.deepEqual(notes, ['-o User of ansible_ssh_extra_args is left aside', '-C of ansible_ssh_extra_args is left aside']);
  const direct = await inventory(t, { hosts: "web ansible_ssh_extra_args='-o ProxyJump=none'\n" });
  const [web] = (await loadInventory(direct)).hosts;
  t.deepEqual([web?.jump, web?.connection.jump], [undefined, 'none']);
});

test("a host that p2c cannot use is in nobody's way who does not choose it", async (t) => {
  const file = await inventory(t, {
    hosts: `[web]
web1
here ansible_connection=local
[win]
w1 ansible_connection=winrm
[odd]
tpl ansible_host='{{ lookup("pipe", "id") }}'
app ansible_become=yes ansible_become_user=app
`,
  });
  const all = await loadInventory(file);
  const chosen = selectHosts(all, ['web:!here']);
  t.deepEqual(
    chosen.map(({ name }) => name),
    ['web1'],
  );
  t.notThrows(() => requireUsable(chosen));
  const { message } = t.throws(() => requireUsable(selectHosts(all, ['web:win'])), { code: 'inventory.invalid' });
  t.is(message.split('\n').length, 2);
  t.regex(message, /'here' is 'local'.*\n.*'w1' is 'winrm'/);
  t.is(t.throws(() => requireUsable(all.hosts)).message.split('\n').length, 4);
  t.is(describeHosts(all.hosts, 200).match(/not usable/g)?.length, 4);
  t.regex(describeGraph(all), /--here \(not usable\)\n/);
  t.regex(all.hosts.map(listedHost).find(({ name }) => name === 'w1')?.mistake ?? '', /winrm/);
});

test('the password for becoming root is there where the command line asks for it', async (t) => {
  const file = await inventory(t, { hosts: 'web ansible_become_password=geheim\n' });
  const [web] = (await loadInventory(file)).hosts;
  if (web === undefined) return t.fail();
  t.is(web.connection.become, undefined);
  const { become } = hostConnectOptions(web, { become: 'sudo' });
  t.is((await become?.password?.())?.reveal(), 'geheim');
  t.is(hostConnectOptions(web, {}).become, undefined);
});

test('of two names of one thing, the one is obeyed that Ansible obeys', async (t) => {
  const all = {
    ansible_host: '10.0.0.1',
    ansible_ssh_host: '10.0.0.2',
    ansible_port: 1,
    ansible_ssh_port: 2,
    ansible_user: 'first',
    ansible_ssh_user: 'second',
    ansible_private_key_file: '/k1',
    ansible_ssh_private_key_file: '/k2',
    ansible_password: 'p1',
    ansible_ssh_pass: 'p2',
    ansible_ssh_password: 'p3',
    ansible_become: true,
    ansible_become_method: 'su',
    ansible_become_user: 'app',
    ansible_su_user: 'root',
    ansible_become_password: 'b1',
    ansible_become_pass: 'b2',
    ansible_su_pass: 'b3',
    ansible_sudo_pass: 'b4',
  };
  const file = await inventory(t, {
    hosts: 'web\nold\n',
    'host_vars/web.yml': JSON.stringify(all),
    'host_vars/old.yml': 'ansible_user: ann\nansible_ssh_user:\nansible_sudo_pass: b4\n',
  });
  const [web, old] = (await loadInventory(file)).hosts;
  t.like(web?.target, { host: '10.0.0.2', port: 2, user: 'second' }, web?.mistake?.message);
  t.like(web?.connection, { identity: ['/k2'], become: 'su' });
  t.is((await web?.connection.password?.())?.reveal(), 'p3');
  t.is((await web?.connection.becomePassword?.())?.reveal(), 'b3');
  t.is(old?.target.user, 'ann');
  t.is((await old?.connection.becomePassword?.())?.reveal(), 'b4');
});

test('a port is one from 1 to 65535', async (t) => {
  const hosts = 'a ansible_port=0\nb ansible_port=70000\nc ansible_ssh_port=65535\nd ansible_port=x\n';
  const all = (await loadInventory(await inventory(t, { hosts }))).hosts;
  t.deepEqual(
    all.map(({ mistake }) => mistake?.message.replace(/^.*host '/, '')),
    ["a' is no port from 1 to 65535: 0", "b' is no port from 1 to 65535: 70000", undefined, "d' is no number: 'x'"],
  );
});
