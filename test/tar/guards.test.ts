import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { ByteString } from '../../src/printable.ts';
import { TarFilter } from '../../src/tar/filter.ts';
import { BLOCK, parseHeader, withFields } from '../../src/tar/header.ts';
import { parsePax, paxRecord } from '../../src/tar/pax.ts';
import { remoteTarScript } from '../../src/tar/remote-tar.ts';
import { filtered } from '../helpers/filtered.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** A ustar block as a writer would make it. */
function block(name: string, type = '0', size = 0, change: (copy: Buffer) => void = () => {}): Buffer {
  return withFields(Buffer.alloc(BLOCK), (copy) => {
    copy.write(name, 0, 'latin1');
    copy.write('0000644\0', 100);
    copy.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    copy.write('00000000012\0', 136);
    copy.write(type, 156, 'latin1');
    copy.write('ustar\x0000', 257, 'latin1');
    change(copy);
  });
}

function extended(records: Readonly<Record<string, string | Buffer>>, name = './PaxHeaders/f'): Buffer {
  const content = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, Buffer.from(value))));
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([block(name, 'x', content.length), content, padding]);
}

const END = Buffer.alloc(2 * BLOCK);
const CHUNKS = [[1], [511], [512], [100_000]];

/** Records of the first extended header. */
function records(bytes: Buffer): [string, string][] {
  const { size, type } = parseHeader(bytes.subarray(0, BLOCK));
  if (type !== 'x') return [];
  return parsePax(bytes.subarray(BLOCK, BLOCK + size)).map(({ key, value }) => [key, value.toString('latin1')]);
}

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

test('labels of SELinux go, other attributes stay byte for byte', (t) => {
  const kept = {
    'SCHILY.xattr.security.capability': CAPABILITY,
    'SCHILY.xattr.user.a=b': Buffer.from([0, 10, 255]),
    'SCHILY.xattr.trusted.x': 'y',
  };
  const labels = { 'SCHILY.xattr.security.selinux': 'system_u:x\0', 'RHT.security.selinux': 'system_u:x' };
  const stream = Buffer.concat([extended({ ...labels, ...kept }), block('f'), END]);
  for (const chunks of CHUNKS) {
    const { bytes, anomalies, delivered } = filtered(stream, ['/f'], chunks);
    t.true(bytes.equals(Buffer.concat([extended(kept), block('f'), END])));
    t.deepEqual(
      anomalies.map(({ kind }) => kind),
      ['selinux label dropped'],
    );
    t.deepEqual(delivered[0]?.fixes, ['selinux label dropped']);
  }
});

test('an extended header that becomes empty goes with its block', (t) => {
  const stream = Buffer.concat([extended({ 'RHT.security.selinux': 'x', atime: '1' }), block('f'), END]);
  t.true(filtered(stream, ['/f']).bytes.equals(Buffer.concat([block('f'), END])));
});

test('names and times that a tar makes of itself become stable, whatever the process', (t) => {
  const capture = (pid: string, atime: string, time: string): Buffer => {
    const head = extended({ atime, mtime: '10.5', ctime: atime }, `./PaxHeaders.${pid}/f`);
    const timed = withFields(head.subarray(0, BLOCK), (copy) => copy.write(time, 136));
    return Buffer.concat([timed, head.subarray(BLOCK), block('f'), END]);
  };
  const first = filtered(capture('999', '5', '00000000777'), ['/f']);
  const second = filtered(capture('10000', '77.123', '00000001234'), ['/f']);
  t.true(first.bytes.equals(second.bytes));
  t.deepEqual(records(first.bytes), [['mtime', '10.5']]);
  t.is(first.filter.counts.anomalies['header made stable'], 1);
});

test('an ACL as text becomes the attribute; the attribute that is there wins; names are told as lost', (t) => {
  const text = 'user::rw-,user:1000:r--,group::r--,mask::r--,other::---';
  const one = filtered(Buffer.concat([extended({ 'SCHILY.acl.access': text }), block('f'), END]), ['/f']);
  t.deepEqual(
    records(one.bytes).map(([key]) => key),
    ['SCHILY.xattr.system.posix_acl_access'],
  );
  t.deepEqual(
    one.anomalies.map(({ kind }) => kind),
    ['acl rewritten'],
  );
  const both = { 'SCHILY.acl.access': text, 'SCHILY.xattr.system.posix_acl_access': 'binary' };
  const two = filtered(Buffer.concat([extended(both), block('f'), END]), ['/f']);
  t.deepEqual(records(two.bytes), [['SCHILY.xattr.system.posix_acl_access', 'binary']]);
  const named = { 'SCHILY.acl.default': text.replace('1000', 'bob') };
  const three = filtered(Buffer.concat([extended(named), block('d/', '5'), END]), ['/d']);
  t.deepEqual(
    three.anomalies.map(({ kind }) => kind),
    ['acl name without id', 'acl rewritten'],
  );
  const bad = filtered(Buffer.concat([extended({ 'SCHILY.acl.access': 'what' }), block('f'), END]), ['/f']);
  t.deepEqual(
    bad.anomalies.map(({ kind }) => kind),
    ['acl unreadable'],
  );
});

test('names of whiteouts never leave, even if asked for', (t) => {
  const paths = ['/.wh.a', '/d/.wh..wh..opq', '/d/.wh.dir/f', '/d/x.wh.y'];
  const stream = Buffer.concat([...paths.map((path) => block(`.${path}`)), END]);
  const { anomalies, delivered } = filtered(stream, paths);
  t.deepEqual(
    anomalies.map(({ kind }) => kind),
    ['whiteout name', 'whiteout name', 'whiteout name'],
  );
  t.deepEqual(
    delivered.map(({ path }): string => path),
    ['/d/x.wh.y'],
  );
});

test('device nodes outside /dev are kept and told, and that they are no longer one with their other names', (t) => {
  const stream = Buffer.concat([block('./dev/null', '3'), block('./srv/sda', '4'), END]);
  const { anomalies, delivered } = filtered(stream, ['/dev/null', '/srv/sda']);
  t.deepEqual(
    anomalies.map(({ kind, path }) => `${kind} ${path}`),
    ['separated from its other names /dev/null', 'separated from its other names /srv/sda', 'device node /srv/sda'],
  );
  t.deepEqual(
    delivered.map(({ fixes }) => fixes),
    [['separated from its other names'], ['separated from its other names']],
  );
});

test('a directory without a time keeps its attributes and its long name', (t) => {
  const long = `/${'n'.repeat(200)}`;
  const head = extended({ mtime: '99.5', path: `.${long}`, 'SCHILY.xattr.user.a': 'b' });
  const { bytes, anomalies } = filtered(Buffer.concat([head, block('d/', '5'), END]), [long], [7], [long]);
  t.deepEqual(anomalies, []);
  t.deepEqual(records(bytes), [
    ['path', `.${long}`],
    ['SCHILY.xattr.user.a', 'b'],
  ]);
  t.is(bytes.toString('latin1', 136, 147), '00000000000');
  t.is(bytes.toString('latin1', 1024 + 136, 1024 + 147), '00000000000');
});

test('what lies below a directory that came as something else, or not at all, was read from elsewhere', (t) => {
  const link = block('./d', '2', 0, (copy) => copy.write('/root', 157));
  const below = ['./d/e/', './d/e/f', './d/x'].map((name) => block(name, name.endsWith('/') ? '5' : '0'));
  const beside = [block('./d-e'), block('./g/f')];
  const stream = Buffer.concat([link, ...below, ...beside, END]);
  const wanted = ['/d', '/d/e', '/d/e/f', '/d/x', '/d-e', '/g', '/g/f'];
  for (const chunks of CHUNKS) {
    const { delivered, again, anomalies } = filtered(stream, wanted, chunks);
    t.deepEqual(
      delivered.map(({ path }): string => path),
      ['/d', '/d-e'],
    );
    t.deepEqual(again.map(String), ['/d/e', '/d/e/f', '/d/x', '/g/f']);
    t.is(anomalies.filter(({ kind }) => kind === 'below what is no directory').length, 4);
  }
});

test('a hard link whose target did not come is named for a second look', (t) => {
  const link = block('l', '1', 0, (copy) => copy.write('gone', 157));
  const { again, anomalies } = filtered(Buffer.concat([link, END]), ['/l']);
  t.deepEqual(again.map(String), ['/l']);
  t.is(anomalies[0]?.kind, 'hard link without its target');
  const abilities = { noUnquote: true, posixFormat: true, xattrs: true, xattrsInclude: true };
  t.regex(remoteTarScript(abilities, { hardDereference: true }), / --hard-dereference /);
  t.notRegex(remoteTarScript(abilities), /hard-dereference/);
  t.regex(remoteTarScript(abilities), / --no-unquote .*--files-from/);
  t.notRegex(remoteTarScript({ ...abilities, noUnquote: false }), /unquote/);
});

const STABLE = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime';

function tar(folder: string, options: readonly string[], names: readonly string[]): Buffer {
  return execFileSync('tar', ['-c', '-f-', '--no-recursion', ...options, ...names], { cwd: folder });
}

async function extremes(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  mkdirSync(`${folder}/d`);
  for (const [name, time] of [
    ['d/future', 2 ** 33],
    ['d/past', -86_400 * 365 * 10],
  ] as const) {
    writeFileSync(`${folder}/${name}`, name);
    execFileSync('touch', ['-d', `@${time}`, `${folder}/${name}`]);
  }
  return folder;
}

for (const format of [['--format=gnu'], ['--format=posix', STABLE]]) {
  test(`large ids and far dates pass untouched: ${format[0]}`, async (t) => {
    const folder = await extremes(t);
    const names = ['./d', './d/future', './d/past'];
    const stream = tar(folder, [...format, '--owner=:4000000000', '--group=:3000000'], names);
    const { bytes, anomalies } = filtered(
      stream,
      names.map((name) => name.slice(1)),
      [1000],
    );
    t.deepEqual(anomalies, []);
    t.true(bytes.equals(stream.subarray(0, bytes.length)));
    const listed = execFileSync('tar', ['-tvf-', '--numeric-owner', '--utc'], { input: bytes }).toString();
    t.is(listed.match(/4000000000\/3000000/g)?.length, 3);
    t.regex(listed, /2242-.*future/);
    t.regex(listed, /1960-.*past/);
  });
}

/** Ids without names: GNU tar 1.34 writes the names of the others, --numeric-owner or not. */
test('real ACLs arrive as attributes that getfacl reads the same', async (t) => {
  const folder = await temporaryFolder(t);
  const to = await temporaryFolder(t);
  mkdirSync(`${folder}/d`);
  writeFileSync(`${folder}/d/f`, 'x');
  execFileSync('setfacl', ['-m', 'u:54321:rwx,u:60001:r--,g:4000000000:-wx,m::rwx', `${folder}/d/f`]);
  execFileSync('setfacl', ['-m', 'u:54321:r-x,d:u:54322:rwx,d:g:54323:r--', `${folder}/d`]);
  const stream = tar(folder, ['--acls', '--numeric-owner', '--format=posix', STABLE], ['./d', './d/f']);
  const { bytes, filter } = filtered(stream, ['/d', '/d/f'], [99]);
  t.is(filter.counts.anomalies['acl rewritten'], 2);
  t.false(bytes.includes('SCHILY.acl'));
  execFileSync('tar', ['-x', '-p', '-f-', '--xattrs', '--xattrs-include=*', '-C', to], { input: bytes });
  const acls = (root: string): string => execFileSync('getfacl', ['-n', '-p', 'd', 'd/f'], { cwd: root }).toString();
  t.regex(acls(to), /group:4000000000:-wx/);
  t.is(acls(to), acls(folder));
});

test('a file of 9 GiB passes with its size read rightly', async (t) => {
  const folder = await temporaryFolder(t);
  execFileSync('truncate', ['-s', '9G', `${folder}/big`]);
  for (const format of ['posix', 'gnu']) {
    const head = execFileSync(
      'sh',
      [
        '-c',
        `tar -c -f- --format=${format}${format === 'posix' ? ` '${STABLE}'` : ''} ./big 2>/dev/null | head -c 4096`,
      ],
      { cwd: folder },
    );
    t.is(head.length, 4096);
    const filter = new TarFilter({ next: onlyOnce({ path: '/big' as ByteString, hardLinked: false }) });
    const out = Buffer.concat(filter.push(head));
    t.true(out.equals(head));
    t.is(filter.counts.contentBytes, 9 * 2 ** 30);
    t.throws(() => filter.end(), { message: /ended early/ });
  }
});

function onlyOnce<Value>(value: Value): () => Value | undefined {
  const values = [value].values();
  return () => values.next().value;
}
