import { homedir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { storeRoot } from '../../src/oci/root.ts';

test.serial('the store is where P2C_ROOT says, else where the user’s data is', (t) => {
  const getuid = process.getuid;
  t.teardown(() => Object.assign(process, { getuid }));
  t.is(storeRoot({ P2C_ROOT: '/srv/store/' }), '/srv/store');
  t.is(storeRoot({ P2C_ROOT: 'here' }), join(process.cwd(), 'here'));
  Object.assign(process, { getuid: () => 0 });
  t.is(storeRoot({ P2C_ROOT: '', XDG_DATA_HOME: '/data' }), '/var/lib/p2c');
  Object.assign(process, { getuid: () => 1000 });
  t.is(storeRoot({ XDG_DATA_HOME: '/data' }), '/data/p2c');
  t.is(storeRoot({ XDG_DATA_HOME: 'relative' }), join(homedir(), '.local/share/p2c'));
  t.is(storeRoot({}), join(homedir(), '.local/share/p2c'));
});

test('a place where no folder can be is told before anything else', (t) => {
  for (const place of ['/etc/passwd', '/etc/passwd/below', '/dev/null']) {
    t.throws(() => storeRoot({ P2C_ROOT: place }), { code: 'store.place' }, place);
  }
  t.is(storeRoot({ P2C_ROOT: '/nowhere/yet' }), '/nowhere/yet');
});
