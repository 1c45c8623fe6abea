import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { listProfiles } from '../../src/profiles/load.ts';
import { profileSchema } from '../../src/profiles/schema.ts';
import { inStopOrder, selectProfiles, withRequired } from '../../src/profiles/select.ts';

interface Order {
  readonly requires?: string[];
  readonly after?: string[];
}

const profile = (name: string, order: Order = {}) => profileSchema.parse({ name, ...order });
const names = (profiles: readonly { readonly name: string }[]) => profiles.map(({ name }) => name);

function refusal(t: ExecutionContext, work: () => unknown): P2cError {
  const error = t.throws(work, { instanceOf: P2cError });
  t.is(error.exitCode, 2);
  return error;
}

test('without dependencies the order is that of the words', (t) => {
  t.deepEqual(names(inStopOrder([profile('b'), profile('a'), profile('c')])), ['b', 'a', 'c']);
});

test('what needs another is stopped before it, wherever it stands', (t) => {
  const all = [
    profile('db'),
    profile('web', { after: ['shop', 'not-there'] }),
    profile('lonely'),
    profile('shop', { requires: ['db'] }),
  ];
  t.deepEqual(names(inStopOrder(all)), ['web', 'lonely', 'shop', 'db']);
});

test('profiles that wait for each other are refused, and the circle is told', (t) => {
  const circle = [profile('a', { after: ['b'] }), profile('b', { requires: ['c'] }), profile('c', { after: ['a'] })];
  const error = refusal(t, () => inStopOrder([profile('x', { after: ['a'] }), ...circle]));
  t.is(error.code, 'profile.cycle');
  t.regex(error.message, /: (a after b after c after a|b after c after a after b|c after a after b after c)$/);
  t.regex(refusal(t, () => inStopOrder([profile('me', { after: ['me'] })])).message, /: me after me$/);
});

test('what is required comes along, and what it requires too', (t) => {
  t.deepEqual(names(withRequired([profile('shop', { requires: ['mysql'] })])), ['shop', 'mysql']);
  const own = profile('mysql', { requires: ['redis'] });
  const both = withRequired([profile('shop', { requires: ['mysql'] }), own]);
  t.deepEqual(names(both), ['shop', 'mysql', 'redis']);
  t.is(both[1], own);
});

test('a requirement that nobody knows is refused with the name of who has it', (t) => {
  const error = refusal(t, () => withRequired([profile('shop', { requires: ['ldap'] })]));
  t.is(error.code, 'profile.unknown');
  t.regex(error.message, /'shop' requires 'ldap', and there is no profile 'ldap'/);
});

test('the same profile twice is one; two of the same name that differ are refused', (t) => {
  t.deepEqual(names(withRequired([profile('a'), profile('a')])), ['a']);
  t.is(refusal(t, () => withRequired([profile('a'), profile('a', { after: ['b'] })])).code, 'profile.name');
});

test('none is no profile, and goes with no other', (t) => {
  t.deepEqual(selectProfiles(['none']), []);
  t.is(refusal(t, () => selectProfiles(['nginx', 'none'])).exitCode, 2);
});

test('the shipped profiles go together: web servers stop first, databases last', (t) => {
  const order = names(inStopOrder(listProfiles()));
  t.is(order.length, listProfiles().length);
  const before = (first: string, second: string) => t.true(order.indexOf(first) < order.indexOf(second), first);
  before('nginx', 'tomcat');
  before('apache-httpd', 'php-fpm');
  before('tomcat', 'postgresql');
  before('cron', 'mysql');
  before('websphere-6', 'db2');
});
