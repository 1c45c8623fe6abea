import { format, inspect } from 'node:util';
import test from 'ava';
import { Secret } from '../../src/ssh/secret.ts';

test('a secret is shown by nothing but reveal', (t) => {
  const secret = new Secret('hunter2');
  t.is(secret.reveal(), 'hunter2');
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ password: secret }),
    inspect(secret, { depth: 9, showHidden: true }),
    inspect({ nested: [secret] }, { depth: 9, showHidden: true }),
    format('%s %o %j %O', secret, secret, secret, secret),
    String(new Error(`wrong password ${secret}`)),
    JSON.stringify(Object.entries(secret)),
  ];
  for (const text of shown) t.false(text.includes('hunter2'), text);
  t.true(shown.slice(0, 4).every((text) => text.includes('[secret]')));
});
