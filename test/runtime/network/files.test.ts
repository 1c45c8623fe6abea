/** The texts that networks are made of: hosts and resolver files, configuration lists, chains of the packet filter. */
import test from 'ava';
import { removalOf } from '../../../src/runtime/network/chains.ts';
import { conflistOf, conflistSchema, leaseRange, type NetworkWishes } from '../../../src/runtime/network/conflist.ts';
import { withKept } from '../../../src/runtime/network/hosts.ts';
import { NO_NETWORK } from '../../../src/runtime/network/request.ts';
import { resolverOf } from '../../../src/runtime/network/resolver.ts';
import { BRIDGE } from '../../helpers/network-wish.ts';

test('what a container wrote into its hosts file stays around the part that p2c keeps', (t) => {
  const first = withKept('127.0.0.1\tlocalhost\n', ['10.0.0.2\ta']);
  const second = withKept(`${first}10.9.9.9 own\n`, ['10.0.0.2\ta', '10.0.0.3\tb']);
  t.is(second.match(/localhost/g)?.length, 1);
  t.regex(second, /^127.0.0.1\tlocalhost\n#.*\n10.0.0.2\ta\n10.0.0.3\tb\n#.*\n10.9.9.9 own\n$/);
  t.is(withKept(second, ['10.0.0.2\ta', '10.0.0.3\tb']), second);
  t.notRegex(withKept(second, []), /10\.0\.0/);
});

test('a hosts file without a last line feed, or with half of a kept part, is added to', (t) => {
  t.regex(withKept('1.1.1.1 x', ['2.2.2.2 y']), /^1.1.1.1 x\n#.*\n2.2.2.2 y\n#/);
  const half = withKept('', ['2.2.2.2 y']).split('\n').slice(0, 2).join('\n');
  t.regex(withKept(half, ['3.3.3.3 z']), /3.3.3.3 z\n# End/);
});

test('the machine’s name servers are the container’s, but for its loopback', (t) => {
  const machine = '# by hand\nsearch example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.53\noptions edns0\n';
  const request = { ...NO_NETWORK, mode: 'networks' as const };
  t.is(resolverOf(machine, request, true), 'search example.com\nnameserver 192.0.2.53\noptions edns0\n');
  t.is(
    resolverOf(machine, { ...request, dns: ['8.8.8.8'], search: ['.'] }, true),
    'nameserver 8.8.8.8\noptions edns0\n',
  );
  t.is(resolverOf(machine, request, false), '');
  t.is(
    resolverOf(machine, { ...request, dns: ['10.0.0.1'], search: ['a.example'] }, false),
    'search a.example\nnameserver 10.0.0.1\n',
  );
});

test('a bridge of p2c’s own routes, an internal one leads to the machine, an isolated one nowhere', (t) => {
  const types = (wishes: NetworkWishes): string[] => conflistOf('n', wishes, true).plugins.map(({ type }) => type);
  const [bridge] = conflistOf('n', BRIDGE, true).plugins;
  t.like(bridge, { isGateway: true, ipMasq: true, ipam: { routes: [{ dst: '0.0.0.0/0' }] } });
  t.deepEqual(types(BRIDGE), ['bridge', 'portmap', 'firewall']);
  t.deepEqual(types({ ...BRIDGE, internal: true }), ['bridge', 'portmap']);
  const internal = conflistOf('n', { ...BRIDGE, internal: true }, true).plugins[0];
  t.like(internal, { isGateway: true, ipMasq: false });
  t.is(internal?.ipam?.['routes'], undefined);
  t.deepEqual(types({ ...BRIDGE, isolated: true }), ['bridge']);
  const isolated = conflistOf('n', { ...BRIDGE, isolated: true }, true).plugins[0];
  t.like(isolated, { isGateway: false, ipMasq: false });
  t.is(isolated?.ipam?.['routes'], undefined);
});

test('a bridge that was there before gets no address and no masquerade, and its gateway is another machine', (t) => {
  const [bridge] = conflistOf('n', { ...BRIDGE, ownBridge: false }, false).plugins;
  t.like(bridge, { bridge: 'br0', isGateway: false, ipMasq: false, ipam: { routes: [{ dst: '0.0.0.0/0' }] } });
});

test('addresses are given out from the range, and never the broadcast', (t) => {
  t.deepEqual(leaseRange(BRIDGE), { start: '172.16.0.1', end: '172.16.0.254' });
  t.deepEqual(leaseRange({ ...BRIDGE, range: '172.16.0.64/26' }), { start: '172.16.0.64', end: '172.16.0.127' });
  t.deepEqual(leaseRange({ ...BRIDGE, range: '172.16.0.128/25' }), { start: '172.16.0.128', end: '172.16.0.254' });
});

for (const [what, value] of [
  ['a plugin that is a path', { cniVersion: '1.0.0', name: 'n', plugins: [{ type: '../../bin/sh' }] }],
  ['a list without plugins', { cniVersion: '1.0.0', name: 'n', plugins: [] }],
  ['a single plugin', { cniVersion: '1.0.0', name: 'n', type: 'bridge' }],
] as const) {
  test(`${what} is no configuration list`, (t) => t.false(conflistSchema.safeParse(value).success));
}

const FILTER = { table: 'filter', inUse: 'CNI-FORWARD', chains: ['CNI-FORWARD', 'CNI-ADMIN'] } as const;
const IDLE = [
  '-P FORWARD ACCEPT',
  '-N CNI-ADMIN',
  '-N CNI-FORWARD',
  '-A FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
  '-A FORWARD -s 10.0.0.0/8 -j ACCEPT',
  '-A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN',
];

test('the plugins’ chains are removed with what leads to them, and nothing else', (t) => {
  t.deepEqual(removalOf(FILTER, IDLE), [
    '-D CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN',
    '-D FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD',
    '-X CNI-FORWARD',
    '-X CNI-ADMIN',
  ]);
});

test('a rule of anybody’s keeps them', (t) => {
  t.is(removalOf(FILTER, [...IDLE, '-A CNI-FORWARD -d 10.90.0.2/32 -j ACCEPT']), undefined);
  t.is(removalOf(FILTER, [...IDLE, '-A CNI-ADMIN -s 192.0.2.0/24 -j DROP']), undefined);
});
