/** known_hosts files, with OpenSSH's own ssh-keygen as the judge of what matches. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import {
  defaultKnownHosts,
  fingerprint,
  type HostKeyPolicy,
  judgeHostKey,
  keyType,
  readKnownKeys,
  readRevokedKeys,
  rememberHostKey,
} from '../../src/ssh/host-key.ts';
import { hashedHostName, type KnownKey, knownKeys, revokedKeys } from '../../src/ssh/known-hosts.ts';
import type { Target } from '../../src/ssh/target.ts';
import { requirePrograms } from '../helpers/require.ts';
import { generateKey } from '../helpers/sshd.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIIbKMvGTyPCqxWgxcuYiyeWBKkrDlbwdNDRvHV0jVQoH';
const OTHER = 'AAAAC3NzaC1lZDI1NTE5AAAAILvTN5fYJzYPiRgVPrMFYNqj1OdTvZzHkPXBlJgrsj3D';

function found(text: string, host: string, port = 22): number[] {
  return knownKeys(text, 'f', host, port).flatMap((key) => (key.withoutPort ? [] : [key.line]));
}

const policy = (known: readonly KnownKey[], acceptNew: boolean, pinned: readonly string[] = []): HostKeyPolicy => ({
  known,
  acceptNew,
  pinned,
  knownAs: { host: 'web1', port: 22 },
  taken: () => [],
  onNew: () => {},
});
const target = (host: string, port = 22): Target => ({ user: 'root', host, port, name: `root@${host}` });

test('names, lists, globs and negation', (t) => {
  const line = (hosts: string): string => `${hosts} ssh-ed25519 ${KEY} comment with words\n`;
  t.deepEqual(found(line('web1'), 'web1'), [1]);
  t.deepEqual(found(line('web1'), 'web10'), []);
  t.deepEqual(found(line('web1,10.0.0.1'), '10.0.0.1'), [1]);
  t.deepEqual(found(line('WEB1'), 'web1'), [1]);
  t.deepEqual(found(line('web1'), 'WEB1'), [1]);
  t.deepEqual(found(line('*.example.org'), 'a.b.example.org'), [1]);
  t.deepEqual(found(line('*.example.org'), 'example.org'), []);
  t.deepEqual(found(line('web?'), 'web1'), [1]);
  t.deepEqual(found(line('web?'), 'web'), []);
  t.deepEqual(found(line('*,!db*'), 'db1'), []);
  t.deepEqual(found(line('!db*,*'), 'db1'), []);
  t.deepEqual(found(line('*,!db*'), 'web1'), [1]);
  t.deepEqual(found(line('!db1'), 'web1'), []);
  // A dot is a dot and a bracket is a bracket: no regular expression shines through.
  t.deepEqual(found(line('10.0.0.1'), '10x0y0z1'), []);
  t.deepEqual(found(line('we[b]1'), 'web1'), []);
});

test('ports', (t) => {
  const text = `[web1]:2222 ssh-ed25519 ${KEY}\nweb1 ssh-ed25519 ${OTHER}\n[fe80::1]:2222 ssh-ed25519 ${KEY}\n`;
  t.deepEqual(found(text, 'web1', 2222), [1]);
  t.deepEqual(found(text, 'web1', 22), [2]);
  t.deepEqual(found(text, 'web1', 222), []);
  t.deepEqual(found(text, 'FE80::1', 2222), [3]);
});

test('comments, blank and malformed lines are passed over', (t) => {
  const text = [
    '# web1 is commented out',
    '',
    '   ',
    'web1',
    'web1 ssh-ed25519',
    'web1 ssh-ed25519 not*base64',
    'web1 ssh-ed25519 AAAA',
    `web1 ssh-ed25519 ${Buffer.from('ffffffff', 'hex').toString('base64')}`,
    `web1 ssh-rsa ${KEY}`,
    '@unknown web1 ssh-ed25519 AAAA',
    '@revoked',
    '|1|onlysalt ssh-ed25519 AAAA',
    '|2|AAAA|AAAA ssh-ed25519 AAAA',
    '|1|| ssh-ed25519 AAAA',
    `\0\x01 ssh-ed25519 ${KEY}`,
    `${'w'.repeat(70_000)},web1 ssh-ed25519 ${KEY}`,
    `\tweb1\tssh-ed25519 \t ${KEY}\r`,
  ].join('\n');
  t.deepEqual(found(text, 'web1'), [17]);
});

test('a pattern made to be slow is not', (t) => {
  const pattern = `${'*a'.repeat(400)}b`;
  t.deepEqual(found(`${pattern} ssh-ed25519 ${KEY}\n`, 'a'.repeat(250)), []);
});

test('hashed names as ssh-keygen -H makes them', async (t) => {
  if (!requirePrograms(t, ['ssh-keygen'])) return;
  const folder = await temporaryFolder(t);
  const file = join(folder, 'known_hosts');
  const plain = ['web1', '[web1]:2222', '10.1.2.3', 'fe80::1', '[fe80::1]:222'];
  await writeFile(file, plain.map((host) => `${host} ssh-ed25519 ${KEY}\n`).join(''));
  await run('ssh-keygen', ['-H', '-f', file]);
  const text = await readFile(file, 'latin1');
  t.is(text.split('\n').filter((line) => line.startsWith('|1|')).length, plain.length);
  t.deepEqual(found(text, 'web1'), [1]);
  t.deepEqual(found(text, 'WEB1', 2222), [2]);
  t.deepEqual(found(text, '10.1.2.3'), [3]);
  t.deepEqual(found(text, 'fe80::1'), [4]);
  t.deepEqual(found(text, 'fe80::1', 222), [5]);
  t.deepEqual(found(text, 'web2'), []);
});

test('whether a name matches is as ssh-keygen -F says', async (t) => {
  if (!requirePrograms(t, ['ssh-keygen'])) return;
  const folder = await temporaryFolder(t);
  const file = join(folder, 'known_hosts');
  const lists = [
    'web1',
    'a,b,web1',
    '*',
    '*,!web1',
    '!web1,*',
    'w*1',
    'w?b1',
    '?',
    'WEB1',
    '[web1]:22',
    '[web1]:2222',
    '**',
    'web1,',
    ',',
    '*b1,!*2',
  ];
  for (const list of lists) {
    for (const [name, host, port] of [
      ['web1', 'web1', 22],
      ['web2', 'web2', 22],
      ['[web1]:2222', 'web1', 2222],
    ] as const) {
      const text = `${list} ssh-ed25519 ${KEY}\n`;
      await writeFile(file, text);
      const { stdout } = await run('ssh-keygen', ['-F', name, '-f', file]).catch(() => ({ stdout: '' }));
      t.is(found(text, host, port).length > 0, stdout.includes('found'), `${list} for ${name}`);
    }
  }
});

test('fingerprints and types as ssh-keygen -l prints them', async (t) => {
  if (!requirePrograms(t, ['ssh-keygen'])) return;
  const folder = await temporaryFolder(t);
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const file = join(folder, type);
    await generateKey(file, type);
    const [written = '', base64 = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
    const key = Buffer.from(base64, 'base64');
    const { stdout } = await run('ssh-keygen', ['-l', '-f', `${file}.pub`]);
    t.is(stdout.split(' ')[1], fingerprint(key));
    t.is(keyType(key), written);
  }
});

test('a key is known, new, changed, revoked or under an authority', (t) => {
  const key = Buffer.from(KEY, 'base64');
  const item = (text: string, marker: KnownKey['marker'] = ''): KnownKey => ({
    marker,
    type: 'ssh-ed25519',
    key: text,
    file: '/k',
    line: 7,
    withoutPort: false,
  });
  const judge = (known: KnownKey[], accept = false): string => {
    try {
      return judgeHostKey(key, target('web1'), policy(known, accept));
    } catch (error) {
      return error instanceof P2cError ? `${error.code}: ${error.message} ${error.hint}` : String(error);
    }
  };
  t.is(judge([item(KEY)]), 'known');
  t.is(judge([item(OTHER), item(KEY)]), 'known');
  t.is(judge([], true), 'new');
  t.regex(judge([]), /^ssh\.host-key-unknown: .*ssh-ed25519 SHA256:.*--accept-new-host-key/);
  for (const accept of [false, true]) {
    t.regex(judge([item(OTHER)], accept), /^ssh\.host-key-changed: .*\/k:7/);
    t.regex(judge([item(KEY, '@revoked')], accept), /^ssh\.host-key-revoked: .*\/k:7/);
    t.regex(judge([item(KEY), item(KEY, '@revoked')], accept), /^ssh\.host-key-revoked/);
  }
  t.regex(judge([item(OTHER, '@cert-authority')]), /^ssh\.host-key-unknown: .*@cert-authority/);
  // The authority's own key as a host key is not what the line vouches for.
  t.regex(judge([item(KEY, '@cert-authority')]), /^ssh\.host-key-unknown/);
  t.regex(judge([item(OTHER, '@revoked')]), /^ssh\.host-key-unknown/);
});

test('a fingerprint that is given decides, but for a key that is revoked', (t) => {
  const key = Buffer.from(KEY, 'base64');
  const own = fingerprint(key);
  const other = fingerprint(Buffer.from(OTHER, 'base64'));
  t.is(judgeHostKey(key, target('web1'), policy([], false, [other, own])), 'known');
  t.is(
    judgeHostKey(key, target('web1'), policy(knownKeys(`web1 ssh-ed25519 ${OTHER}\n`, '/k', 'web1', 22), false, [own])),
    'known',
  );
  const known = knownKeys(`web1 ssh-ed25519 ${KEY}\n`, '/k', 'web1', 22);
  const error = t.throws(() => judgeHostKey(key, target('web1'), policy(known, true, [other])));
  t.like(error, { code: 'ssh.host-key-mismatch' });
  t.true(error?.message.includes(own) && error.message.includes(other));
  const revoked = revokedKeys(`# list\nssh-ed25519 ${KEY} why\n\n`, '/revoked');
  t.is(revoked.length, 1);
  t.throws(() => judgeHostKey(key, target('web1'), policy(revoked, true, [own])), {
    code: 'ssh.host-key-revoked',
    message: /\/revoked:2/,
  });
});

test('a name that is hidden is found again, and only by itself', (t) => {
  const line = `${hashedHostName('[web1]:2222')} ssh-ed25519 ${KEY}\n`;
  t.regex(line, /^\|1\|/);
  t.is(knownKeys(line, '/k', 'web1', 2222).length, 1);
  t.is(knownKeys(line, '/k', 'web1', 2223).length, 0);
  t.not(hashedHostName('web1'), hashedHostName('web1'));
});

test('revoked keys that cannot be read are no reason to trust', async (t) => {
  const folder = await temporaryFolder(t);
  const list = join(folder, 'krl');
  await writeFile(list, 'SSHKRL\n\0');
  for (const file of [list, join(folder, 'none')]) {
    await t.throwsAsync(readRevokedKeys([file]), { code: 'ssh.known-hosts' });
  }
});

test('a list of revoked keys with a line that is no key is refused as a whole, as ssh does', async (t) => {
  const file = join(await temporaryFolder(t), 'revoked');
  for (const line of [
    'rubbish',
    `* ssh-ed25519 ${KEY}`,
    `@revoked * ssh-ed25519 ${KEY}`,
    `no-pty ssh-ed25519 ${KEY}`,
    `256 ssh-ed25519 ${KEY}`,
    `ssh-rsa ${KEY}`,
    'ssh-ed25519',
    `ssh-ed25519 ${KEY}==`,
    `ssh-ed25519 ${KEY}AAAA`,
    `ssh-ed25519 ${KEY.slice(0, -4)}`,
    `ssh-ed25519,${KEY}`,
  ]) {
    await writeFile(file, `# revoked\n${line}\n`);
    await t.throwsAsync(readRevokedKeys([file]), { code: 'ssh.known-hosts', message: /line 2 is no public key/ }, line);
  }
  await writeFile(file, `# revoked\r\n\r\n \t# more\n\n\tssh-ed25519   ${KEY} a comment\r\nssh-ed25519 ${OTHER}`);
  t.deepEqual(
    (await readRevokedKeys([file])).map(({ line }) => line),
    [5, 6],
  );
});

test('a list of ssh-keygen -k revokes keys by themselves and by their digests', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['bad', 'good', 'authority']) await generateKey(join(folder, name), 'ed25519');
  const key = async (name: string): Promise<Buffer> =>
    Buffer.from((await readFile(join(folder, `${name}.pub`), 'utf8')).split(' ')[1] ?? '', 'base64');
  const keys = { bad: await key('bad'), good: await key('good') };
  const krl = join(folder, 'krl');
  const bad = (await readFile(join(folder, 'bad.pub'), 'utf8')).trim();
  for (const spec of [`key: ${bad}`, `sha1: ${bad}`, `sha256: ${bad}`, `${bad}`, `serial: 7\nsha256: ${bad}`]) {
    await writeFile(join(folder, 'spec'), `${spec}\n`);
    await run('ssh-keygen', ['-k', '-q', '-f', krl, '-s', join(folder, 'authority.pub'), join(folder, 'spec')]);
    const revoked = await readRevokedKeys([krl]);
    const judge = (name: 'bad' | 'good') => judgeHostKey(keys[name], target('web1'), policy(revoked, true));
    const error = t.throws(() => judge('bad'), { code: 'ssh.host-key-revoked' }, spec);
    t.true(error?.message.endsWith(`is revoked by ${krl}`));
    t.is(judge('good'), 'new');
  }
  const whole = await readFile(krl);
  for (const length of [9, 30, 45, whole.length - 1]) {
    await writeFile(krl, whole.subarray(0, length));
    await t.throwsAsync(readRevokedKeys([krl]), { code: 'ssh.known-hosts', message: /cut short/ }, `${length} bytes`);
  }
  await writeFile(krl, Buffer.concat([whole, Buffer.from([9, 0, 0, 0, 0])]));
  await t.throwsAsync(readRevokedKeys([krl]), { message: /unknown part 9/ });
});

test('a key that is known without the port vouches, and does not accuse', async (t) => {
  const file = join(await temporaryFolder(t), 'known_hosts');
  await writeFile(file, `web1 ssh-ed25519 ${KEY}\n`);
  const known = await readKnownKeys([file], target('web1', 2222));
  t.is(judgeHostKey(Buffer.from(KEY, 'base64'), target('web1', 2222), policy(known, false)), 'known');
  const other = Buffer.from(OTHER, 'base64');
  t.throws(() => judgeHostKey(other, target('web1', 2222), policy(known, false)), { code: 'ssh.host-key-unknown' });
  t.is(judgeHostKey(other, target('web1', 2222), policy(known, true)), 'new');
});

test('a key of the name without the port is asked for only where none is known of the whole name', (t) => {
  const server = target('web1', 2222);
  // Any other key of the whole name: as ssh, one of another type speaks against the server too.
  const rsa = Buffer.concat([Buffer.from('\0\0\0\x07ssh-rsa\0\0\0\x40', 'latin1'), Buffer.alloc(64, 1)]).toString(
    'base64',
  );
  for (const [type, full] of [
    ['ssh-ed25519', OTHER],
    ['ssh-rsa', rsa],
  ]) {
    const text = `web1 ssh-ed25519 ${KEY}\n[web1]:2222 ${type} ${full}\n`;
    const known = knownKeys(text, '/k', 'web1', 2222);
    t.throws(() => judgeHostKey(Buffer.from(KEY, 'base64'), server, policy(known, true)), {
      code: 'ssh.host-key-changed',
      message: /\/k:2 knows/,
    });
  }
  for (const marker of ['@revoked', '@cert-authority']) {
    const text = `web1 ssh-ed25519 ${KEY}\n${marker} [web1]:2222 ssh-ed25519 ${OTHER}\n`;
    const known = knownKeys(text, '/k', 'web1', 2222);
    t.is(judgeHostKey(Buffer.from(KEY, 'base64'), server, policy(known, false)), 'known', marker);
  }
});

test('a new key is remembered as ssh does', async (t) => {
  const home = await temporaryFolder(t);
  const [file = '', ...others] = defaultKnownHosts(home);
  t.deepEqual(others, [join(home, '.ssh/known_hosts2'), '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']);
  const key = Buffer.from(KEY, 'base64');
  await rememberHostKey(file, key, target('web1', 2222), false);
  t.is(await readFile(file, 'utf8'), `[web1]:2222 ssh-ed25519 ${KEY}\n`);
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.is((await stat(join(home, '.ssh'))).mode & 0o777, 0o700);
  await appendFile(file, 'no newline at the end');
  await rememberHostKey(file, key, target('Web2'), false);
  t.is((await readFile(file, 'utf8')).split('\n').at(-2), `web2 ssh-ed25519 ${KEY}`);
  t.is((await readKnownKeys([file], target('web2')))[0]?.line, 3);
  t.false(await rememberHostKey('/dev/null', key, target('web2'), false), 'it keeps nothing');
  await t.throwsAsync(rememberHostKey('/dev/null/known_hosts', key, target('web2'), false), {
    code: 'ssh.known-hosts',
  });
});

test('files that are missing are passed over, others are refused', async (t) => {
  const folder = await temporaryFolder(t);
  t.deepEqual(await readKnownKeys([join(folder, 'none')], target('web1')), []);
  await mkdir(join(folder, 'directory'));
  await t.throwsAsync(readKnownKeys([join(folder, 'directory')], target('web1')), { code: 'ssh.known-hosts' });
  const large = join(folder, 'large');
  await writeFile(large, Buffer.alloc(17 * 1024 * 1024, 'x'));
  await t.throwsAsync(readKnownKeys([large], target('web1')), { message: /larger than 16 MiB/ });
});
