/** Containers without root, as far as files alone tell. */
import test from 'ava';
import { mapTriples } from '../../../src/runtime/rootless/id-map.ts';
import { lackingAtSight, refuseLacking } from '../../../src/runtime/rootless/lacking.ts';
import { inUserNamespace, normal } from '../../../src/runtime/rootless/user-namespace.ts';

const OWN = { first: 1000, count: 1 };
const RANGES = [OWN, { first: 100_000, count: 60_000 }, { first: 300_000, count: 6000 }];

test('the ids of all ranges follow each other in the namespace, the own one first', (t) => {
  t.deepEqual(mapTriples(RANGES), [
    ['0', '1000', '1'],
    ['1', '100000', '60000'],
    ['60001', '300000', '6000'],
  ]);
});

test('a map of the kernel is compared without its columns', (t) => {
  t.is(normal('         0       1000          1\n         1     100000      65536\n'), '0 1000 1\n1 100000 65536');
});

test('too few subordinate ids are told with how many there are, users and groups apart', (t) => {
  const found = lackingAtSight({ uids: RANGES, gids: [OWN, { first: 100_000, count: 1000 }] });
  const told = found.filter(({ what }) => what.startsWith('/etc/'));
  t.is(told.length, 1);
  t.regex(told[0]?.what ?? '', /^\/etc\/subgid gives \S+ 1000 group ids, and images need 65536$/);
  t.regex(told[0]?.remedy ?? '', /usermod --add-subgids/);
});

test('all that is missing is one error, each remedy in it once', (t) => {
  const install = 'install uidmap';
  const error = t.throws(() =>
    refuseLacking([
      { what: 'newuidmap is not installed', remedy: install },
      { what: 'newgidmap is not installed', remedy: install },
      { what: 'no ids', remedy: 'usermod' },
    ]),
  );
  t.regex(error?.message ?? '', /newuidmap is not installed; newgidmap is not installed; no ids$/);
  t.like(error, {
    code: 'rootless.lacking',
    exitCode: 2,
    hint: 'as root: install uidmap; usermod. Or run the container as root: sudo p2c …',
  });
  t.notThrows(() => refuseLacking([]));
});

test('root of the machine is in no user namespace', (t) => {
  t.false(inUserNamespace());
});
