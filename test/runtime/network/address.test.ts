import test from 'ava';
import {
  firstOf,
  formatAddress,
  formatSubnet,
  holds,
  lastOf,
  overlap,
  parseAddress,
  parseSubnet,
} from '../../../src/runtime/network/address.ts';

for (const text of ['0.0.0.0', '10.90.1.255', '172.16.0.2', '255.255.255.255']) {
  test(`${text} is the same when it was read and written`, (t) => t.is(formatAddress(parseAddress(text) ?? -1), text));
}

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4 ',
  '0x1.2.3.4',
  '-1.2.3.4',
  '::1',
  '1..2.3',
]) {
  test(`'${text}' is no address`, (t) => t.is(parseAddress(text), undefined));
}

for (const text of [
  '',
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  'fd00::/8',
  '10.0.0.0/1e1',
]) {
  test(`'${text}' is no subnet`, (t) => t.is(parseSubnet(text), undefined));
}

test('a subnet is told by its own address, and ends before its broadcast', (t) => {
  const subnet = parseSubnet('172.16.5.77/22');
  if (subnet === undefined) return t.fail();
  t.is(formatSubnet(subnet), '172.16.4.0/22');
  t.is(formatAddress(firstOf(subnet)), '172.16.4.1');
  t.is(formatAddress(lastOf(subnet)), '172.16.7.254');
  t.true(holds(subnet, parseAddress('172.16.7.255') ?? 0));
  t.false(holds(subnet, parseAddress('172.16.8.0') ?? 0));
});

test('subnets overlap where one holds the other, and not where they touch', (t) => {
  const at = (text: string) => parseSubnet(text) ?? { base: 0, prefix: 0 };
  t.true(overlap(at('10.0.0.0/8'), at('10.90.0.0/24')));
  t.true(overlap(at('10.90.0.0/24'), at('10.0.0.0/8')));
  t.false(overlap(at('10.90.0.0/24'), at('10.90.1.0/24')));
});
