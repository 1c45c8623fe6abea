import { userInfo } from 'node:os';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { parseTarget } from '../../src/ssh/target.ts';

const parts = (text: string, defaults = {}): string => {
  const { user, host, port, name } = parseTarget(text, defaults);
  return `${user} ${host} ${port} ${name}`;
};

test('what names a server', (t) => {
  const me = userInfo().username;
  t.is(parts('root@web1'), 'root web1 22 root@web1');
  t.is(parts('web1'), `${me} web1 22 web1`);
  t.is(parts('web1', { user: 'admin', port: 2222 }), 'admin web1 2222 web1');
  t.is(parts('root@web1:2200', { user: 'admin', port: 2222 }), 'root web1 2200 root@web1:2200');
  t.is(parts('ssh://root@web1:2200'), 'root web1 2200 ssh://root@web1:2200');
  t.is(parts('ssh://root@web1/'), 'root web1 22 ssh://root@web1/');
  t.is(parts('root@10.0.0.1:22'), 'root 10.0.0.1 22 root@10.0.0.1:22');
  t.is(parts('root@[fe80::1%eth0]:2200'), 'root fe80::1%eth0 2200 root@[fe80::1%eth0]:2200');
  t.is(parts('[::1]'), `${me} ::1 22 [::1]`);
  t.is(parts('::1'), `${me} ::1 22 ::1`);
  t.is(parts('root@::1', { port: 2222 }), 'root ::1 2222 root@::1');
  t.is(parts('root@2001:db8::7'), 'root 2001:db8::7 22 root@2001:db8::7');
  t.is(parts('root@fe80::1%wg-home'), 'root fe80::1%wg-home 22 root@fe80::1%wg-home');
  t.is(parts('ann@corp.example@web1'), 'ann@corp.example web1 22 ann@corp.example@web1');
  t.is(parts('ssh://ann@corp.example@web1:2200'), 'ann@corp.example web1 2200 ssh://ann@corp.example@web1:2200');
  t.is(parts('ann@corp.example@[::1]:2200'), 'ann@corp.example ::1 2200 ann@corp.example@[::1]:2200');
});

test('a password in a target is refused, and not shown again', (t) => {
  for (const text of [
    'ssh://root:s3cret@web1',
    'root:s3cret@web1',
    'ssh://root:s3cret@b@web1',
    'ssh://root:s3cret@web1:22/',
  ]) {
    const error = t.throws(() => parseTarget(text), { code: 'target.invalid' });
    t.false(`${error}${JSON.stringify(error)}`.includes('s3cret'), text);
  }
});

for (const text of [
  '',
  ' ',
  '@',
  'root@',
  '@web1',
  '-oProxyCommand=id',
  'root@-web1',
  '-root@web1',
  'a b',
  'root@web1:',
  'root@web1:x',
  'root@web1/path',
  '@@web1',
  'a@b@',
  'a@b @c',
  'a@-web1@-c',
  ':::1',
  '::1%',
  'root@::g',
  'ssh://root@::1',
  '[::1',
  'web1\n',
  'ssh://',
  'web1:22:22',
]) {
  test(`${JSON.stringify(text)} names no server`, (t) => {
    t.throws(() => parseTarget(text), { code: 'target.invalid' });
  });
}

test('where colons stand without brackets, the brackets are hinted at', (t) => {
  for (const text of ['::1:22222', 'root@fe80::1%eth0:22', 'ssh://root@::1']) {
    const error = t.throws(() => parseTarget(text), { instanceOf: P2cError });
    t.regex(error.hint ?? '', /\[::1\]:22$/);
  }
});

test('ports out of range', (t) => {
  for (const port of ['0', '65536', '99999999999999999999']) {
    t.throws(() => parseTarget(`web1:${port}`), { code: 'target.invalid' });
  }
  t.throws(() => parseTarget('web1', { port: 0 }), { code: 'target.invalid' });
  t.throws(() => parseTarget('web1', { port: 1.5 }), { code: 'target.invalid' });
});
