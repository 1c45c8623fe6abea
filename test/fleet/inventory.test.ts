import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { loadInventory } from '../../src/fleet/inventory.ts';
import { inventoryJsonSchema } from '../../src/fleet/own-inventory.ts';
import { selectHosts } from '../../src/fleet/pattern.ts';

function fileOf(t: ExecutionContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'p2c-inventory-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'fleet.yaml');
  writeFileSync(file, text);
  return file;
}

async function load(t: ExecutionContext, text: string) {
  return (await loadInventory(fileOf(t, text), { today: new Date(2026, 10, 3) })).hosts;
}

/** The mistakes as `line:column: message`. */
const mistakes = test.macro(async (t, text: string, expected: string[]) => {
  const file = fileOf(t, text);
  const error = await t.throwsAsync(loadInventory(file), { instanceOf: P2cError });
  t.is(error.exitCode, 2);
  t.is(error.code, 'inventory.invalid');
  const lines = error.message.split('\n').filter((line) => line.startsWith(`${file}:`));
  t.deepEqual(
    lines.map((line) => line.slice(file.length + 1)),
    expected,
  );
});

test('defaults are filled in, and a host overrides them', async (t) => {
  const text = `
defaults: { user: ann, port: 2222, profile: nginx, tag: 'legacy/{{host}}:{{ date }}', exclude: /srv/tmp }
hosts:
  - { name: web1, address: 10.0.0.1 }
  - { name: Web_2, address: 'fe80::1%eth0', user: root, port: 22, profiles: [cron, nginx], tag: two, exclude: [/x], include: /root }
  - { name: old.example }
`;
  const [one, two, three] = await load(t, text);
  t.deepEqual(one?.target, { user: 'ann', host: '10.0.0.1', port: 2222, name: 'web1', assumed: [] });
  t.is(one?.tag, 'legacy/web1:2026-11-03');
  t.deepEqual(one?.profiles, ['nginx']);
  t.deepEqual(one?.connection, {});
  t.deepEqual(two?.target, { user: 'root', host: 'fe80::1%eth0', port: 22, name: 'Web_2', assumed: [] });
  t.deepEqual(two?.profiles, ['cron', 'nginx']);
  t.deepEqual([two?.exclude, two?.include], [['/srv/tmp', '/x'], ['/root']]);
  t.is(two?.tag, 'two');
  t.is(three?.target.host, 'old.example');
});

test('hosts may be a map, whose values may be empty', async (t) => {
  const hosts = await load(t, 'hosts:\n  web1.example:\n  db: { address: 10.1.1.1 }\n');
  t.deepEqual(
    hosts.map((host) => [host.name, host.target.host, host.target.user, host.target.port, host.tag]),
    [
      ['web1.example', 'web1.example', userInfo().username, 22, undefined],
      ['db', '10.1.1.1', userInfo().username, 22, undefined],
    ],
  );
});

test('key files and profile files are meant from where the inventory lies', async (t) => {
  const file = fileOf(t, 'hosts: { a: { identity: [keys/id, ~/.ssh/id, /k], profiles: [nginx, ./own.yaml] } }');
  const host = (await loadInventory(file)).hosts[0];
  const folder = join(file, '..');
  t.deepEqual(host?.connection.identity, [join(folder, 'keys/id'), join(homedir(), '.ssh/id'), '/k']);
  t.deepEqual(host?.profiles, ['nginx', join(folder, 'own.yaml')]);
});

test('a host name becomes what an image reference can hold', async (t) => {
  const names = ['WEB-1.Example', 'a_b', 'a._b', 'x--y', 'trailing-'];
  const text = `defaults: { tag: '{{host}}' }\nhosts:\n${names.map((name) => `  - { name: '${name}', address: h }\n`).join('')}`;
  t.deepEqual(
    (await load(t, text)).map((host) => host.tag),
    ['web-1.example', 'a_b', 'a-b', 'x--y', 'trailing'],
  );
});

test(
  'a misspelt key is answered with the nearest',
  mistakes,
  'hosts:\n  - name: a\n    adress: 10.0.0.1\n    usr: root\n',
  [
    "3:5: hosts[0]: unknown key 'adress' (did you mean 'address'?)",
    "4:5: hosts[0]: unknown key 'usr' (did you mean 'user'?)",
  ],
);
test(
  'all mistakes of all hosts at once, each at its place',
  mistakes,
  `default: {}
hosts:
  a: { address: 10.0.0.300, port: 0 }
  b: { address: 'root@h', tag: '{{hots}}' }
  'c d':
  d: { address: 'h:22' }
  e: { profile: x, profiles: y, exclude: tmp }
`,
  [
    "1:1: unknown key 'default' (did you mean 'defaults'?)",
    "3:17: hosts.a.address: '10.0.0.300' is no IPv4 address",
    '3:35: hosts.a.port: number 0 is less than 1',
    "4:17: hosts.b.address: 'root@h' is no address: give the user as 'user:'",
    "4:32: hosts.b.tag: '{{hots}}' is no placeholder; there are {{host}} and {{date}} (did you mean 'host'?)",
    "5:3: hosts.c d: must be of letters, digits, '.', '_' and '-', and begin with a letter or digit",
    "6:17: hosts.d.address: 'h:22' is no address: give the port as 'port:'",
    "7:42: hosts.e.exclude: the pattern 'tmp' does not begin with '/'",
  ],
);
test('one name twice in a list', mistakes, 'hosts:\n  - name: a\n  - name: b\n  - name: a\n', [
  "4:11: hosts[2].name: 'a' is the name of hosts[0] too",
]);
test('one name twice in a map', mistakes, 'hosts:\n  a:\n  a:\n', ["3:3: the key 'a' is there twice"]);
test('no hosts in a list', mistakes, 'hosts: []\n', ['1:8: hosts: is empty']);
test('no hosts in a map', mistakes, 'hosts: {}\n', ['1:8: hosts: is empty']);
test('no hosts at all', mistakes, 'defaults: { user: root }\n', ['1:1: hosts: is missing']);
test('an empty file', mistakes, '', ['1:1: expected keys and values, found nothing']);
test('both names of the profiles', mistakes, 'hosts:\n  a: { profile: x, profiles: y }\n', [
  "2:30: hosts.a.profiles: has both 'profile' and 'profiles'",
]);
test('options are not smuggled in by an address', mistakes, 'hosts: { a: { address: -oProxyCommand=x } }', [
  "1:24: hosts.a.address: '-oProxyCommand=x' is neither an IP address nor a host's name",
]);

test('hosts are chosen by name and glob, in the order of the file', async (t) => {
  const inventory = await loadInventory(fileOf(t, 'hosts: { web1: , db: , web2: }'.replaceAll(' ,', ' ~,')));
  const names = (...words: string[]) => selectHosts(inventory, words).map((host) => host.name);
  t.deepEqual(names(), ['web1', 'db', 'web2']);
  t.deepEqual(names('web2', 'web*', 'web1'), ['web1', 'web2']);
  t.deepEqual(names('d?'), ['db']);
  t.deepEqual(names('*'), ['web1', 'db', 'web2']);
  const error = t.throws(() => names('wbe1'), { instanceOf: P2cError });
  t.is(error.code, 'inventory.unknown-host');
  t.regex(error.message, /did you mean 'web1'/);
});

test('a missing inventory, and a folder with none in it', async (t) => {
  const missing = await t.throwsAsync(loadInventory('/nonexistent/x.yaml'), { instanceOf: P2cError });
  t.is(missing.code, 'inventory.missing');
  const folder = mkdtempSync(join(tmpdir(), 'p2c-inventory-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.is((await t.throwsAsync(loadInventory(folder), { instanceOf: P2cError })).code, 'inventory.empty');
});

test('a host that is to be reached directly, whatever its group says, shares no jump host', async (t) => {
  const text =
    'groups: { shop: { hosts: [a, b], jump: gate } }\nhosts: { a: { address: h }, b: { address: i, jump: none } }\n';
  const [a, b] = await load(t, text);
  t.deepEqual([a?.jump, a?.connection.jump], ['gate', 'gate']);
  t.deepEqual([b?.jump, b?.connection.jump], [undefined, 'none']);
});

test('groups lie between the defaults and the host', async (t) => {
  const [db, web] = await load(
    t,
    `
defaults: { user: ann, profile: none, exclude: /a }
groups:
  shop: { hosts: ['web*', db1], user: bob, profiles: [nginx], exclude: /b, volumes: /data, limits: { memory: 2g }, jump: gate }
  later: { hosts: web1, after: data, order: 5, limits: { cpus: 1.5 }, network: { name: br0, ip: 172.16.0.2 } }
hosts:
  web1: { address: h, exclude: /c, user: carl }
  db1: { address: h, groups: data, become: su }
`,
  );
  t.is(db?.name, 'db1', 'the order decides');
  t.deepEqual(db?.groups, ['shop', 'data']);
  t.deepEqual([db?.target.user, web?.target.user], ['bob', 'carl']);
  t.deepEqual(web?.exclude, ['/a', '/b', '/c']);
  t.deepEqual([web?.profiles, web?.volumes, web?.after, web?.jump], [['nginx'], ['/data'], ['db1'], 'gate']);
  t.deepEqual(db?.connection, { jump: 'gate', become: 'su' });
  t.deepEqual(web?.labels, {
    'io.p2c.run.network': 'br0',
    'io.p2c.run.ip': '172.16.0.2',
    'io.p2c.run.memory': '2147483648',
    'io.p2c.run.cpus': '1.5',
  });
});

test(
  'groups and orders that name nobody, each once and at its place',
  mistakes,
  `defaults: { after: nobody }
groups:
  a: { hosts: [web1, wbe2] }
  b: { hosts: web*, after: [web3, c] }
hosts:
  web1: { address: h, after: [web2, web] }
  web2: { address: h }
  web3: { address: h }
  db: { address: h }
`,
  [
    "1:20: defaults.after[0]: there is no host or group 'nobody'",
    "3:22: groups.a.hosts[1]: there is no host 'wbe2' (did you mean 'web2'?)",
    "4:35: groups.b.after[1]: there is no host or group 'c' (did you mean 'a'?)",
    "6:37: hosts.web1.after[1]: there is no host or group 'web' (did you mean 'web1'?)",
  ],
);

test('a host knows where the file says what of it', async (t) => {
  const text = `defaults: { profile: nginx, tag: 'x/{{host}}' }
groups: { shop: { hosts: [web], window: 'daily 01:00-05:00' } }
hosts:
  - name: db
  - { name: web, tag: y, after: db }
`;
  const file = fileOf(t, text);
  const { hosts } = await loadInventory(file);
  const web = hosts.find(({ name }) => name === 'web');
  const places = (['host', 'tag', 'after', 'profiles', 'window', 'identity'] as const).map((what) =>
    web?.place?.(what)?.slice(file.length),
  );
  t.deepEqual(places, [':5:5', ':5:23', ':5:33', ':1:22', ':2:41', ':5:5']);
});

test(
  'what is wrong with an order, a window, a jump and a limit',
  mistakes,
  `hosts:
  a: { address: h, window: 'Someday 10:00-11:00' }
  b: { address: h, jump: '-oProxyCommand=x', become: sude }
  c: { address: h, limits: { memory: much }, network: { ip: 1.2.3 } }
`,
  [
    "2:28: hosts.a.window: is no window: write 'Sat 22:00-04:00', 'daily 01:00-05:00' or '2026-11-28 22:00 - 2026-11-29 04:00'",
    "3:26: hosts.b.jump: is no jump host: write 'user@host:port', with commas between several",
    "3:54: hosts.b.become: expected 'sudo' or 'doas' or 'su', found 'sude' (did you mean 'sudo'?)",
    "4:38: hosts.c.limits.memory: 'much' is no size: write '512m' or '1g'",
    '4:61: hosts.c.network.ip: is no IPv4 address',
  ],
);

test('the published form of an inventory is the one that is read', (t) => {
  // Made by: npx tsx scripts/inventory-schema.ts && npx biome format --write schemas/inventory.schema.json
  const shipped: unknown = JSON.parse(
    readFileSync(new URL('../../schemas/inventory.schema.json', import.meta.url), 'utf8'),
  );
  t.deepEqual(shipped, JSON.parse(inventoryJsonSchema()));
});

const GROUPS = `groups:
  shop: { hosts: [], window: 'daily 01:00-05:00' }
`;

test(
  "a slip in the name of a host's group is no new group without its window",
  mistakes,
  `${GROUPS}hosts:\n  web1: { address: h, groups: [shop, shpo] }\n  web2: { address: h, groups: Shop }\n`,
  [
    "4:38: hosts.web1.groups[1]: the group 'shpo' is not declared (did you mean 'shop'?)",
    "5:31: hosts.web2.groups[0]: the group 'Shop' is not declared (did you mean 'shop'?)",
  ],
);

test('a group that is declared nowhere is noted where others are', async (t) => {
  const file = fileOf(t, `${GROUPS}hosts:\n  web1: { address: h, groups: [shop, rack7] }\n`);
  const { groups, notes } = await loadInventory(file);
  t.deepEqual(
    notes.map((note) => note.slice(file.length)),
    [":4:38: the group 'rack7' is not declared: it gives the host 'web1' no settings"],
  );
  t.deepEqual(
    groups.map(({ name, hosts }) => [name, hosts]),
    [
      ['shop', ['web1']],
      ['rack7', ['web1']],
    ],
  );
  t.deepEqual((await loadInventory(fileOf(t, 'hosts: { a: { address: h, groups: rack7 } }\n'))).notes, []);
});
