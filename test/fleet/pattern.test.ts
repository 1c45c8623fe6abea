/** The words that mean hosts of an inventory, as Ansible has them, and what is refused. */
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import type { FleetHost, Inventory } from '../../src/fleet/host.ts';
import { selectHosts } from '../../src/fleet/pattern.ts';

const GROUPS: Readonly<Record<string, readonly string[]>> = { web: ['web1', 'web2', 'web3'], empty: [] };

function hostOf(name: string): FleetHost {
  const groups = Object.keys(GROUPS).filter((group) => GROUPS[group]?.includes(name) === true);
  const target = { user: 'root', host: name, port: 22, name, assumed: [] };
  const nothing = { profiles: [], exclude: [], include: [], volumes: [], labels: {}, after: [] };
  return { name, groups, target, connection: {}, tag: undefined, ...nothing };
}

const INVENTORY: Inventory = {
  file: 'fleet.yaml',
  kind: 'p2c',
  hosts: ['web1', 'web2', 'web3', 'db'].map(hostOf),
  groups: Object.entries(GROUPS).map(([name, hosts]) => ({ name, hosts, own: hosts, children: [] })),
  tops: [],
  notes: [],
};

const names = (...words: string[]): string[] => selectHosts(INVENTORY, words).map(({ name }) => name);

test('what is to be spared and is nowhere is refused, for it would not be spared', (t) => {
  t.deepEqual(names('web:!web2'), ['web1', 'web3']);
  for (const word of ['!wbe2', 'all:!wbe2', 'web,!wbe2']) {
    const error = t.throws(() => names(word), { instanceOf: P2cError, code: 'inventory.unknown-host' });
    t.regex(error.message, /no host or group 'wbe2' \(did you mean 'web2'\?\)/);
  }
  for (const word of ['!old*', '!~^x', '!web[7]']) t.throws(() => names(word), { code: 'inventory.unknown-host' });
  for (const word of ['!empty', '!empt*', 'all:!empty']) t.is(names(word).length, 4, word);
  t.deepEqual(names('!ungrouped'), ['web1', 'web2', 'web3']);
});

test('numbers in brackets are places in a group, as Ansible has it, also with a dash', (t) => {
  t.deepEqual(names('web[1-2]'), ['web2', 'web3']);
  t.deepEqual(names('web[1-2]'), names('web[1:2]'));
  t.deepEqual(names('web[1-]'), ['web2', 'web3']);
  t.deepEqual(names('web[0-0]'), ['web1']);
  t.deepEqual(names('d[a-c]'), ['db'], 'letters are a class of letters');
});
