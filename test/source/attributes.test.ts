import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { type ByteString, byteString } from '../../src/printable.ts';
import { type AttributeReader, Attributes, AttributesParser, attributesCommand } from '../../src/source/attributes.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function parse(reader: AttributeReader, output: Buffer, piece = output.length): Attributes {
  const attributes = new Attributes();
  const parser = new AttributesParser(reader, attributes);
  for (let at = 0; at < output.length; at += piece) parser.push(output.subarray(at, at + piece));
  parser.end();
  return attributes;
}

function shown(attributes: Attributes, path: string): Record<string, string> {
  const records = attributes.of(path as ByteString) ?? [];
  return Object.fromEntries(records.map(({ key, value }) => [key.replace('SCHILY.xattr.', ''), value.toString('hex')]));
}

test('what getfattr says, in pieces of any size', (t) => {
  const output = Buffer.from(
    '# file: /a\\012b\nuser.x=0x00ff\nuser.empty=0x\nuser.none\n\n# file: /c\\134d\nuser.with \\075\\012\xe9=0x78\n',
    'latin1',
  );
  for (const piece of [1, 3, 7, 1000]) {
    const attributes = parse('getfattr', output, piece);
    t.deepEqual(shown(attributes, '/a\nb'), { 'user.x': '00ff', 'user.empty': '', 'user.none': '' });
    t.deepEqual(shown(attributes, '/c\\d'), { 'user.with =\n\xe9': '78' });
    t.is(attributes.size, 2);
  }
});

test('what getcap says, old and new', (t) => {
  const output = Buffer.from('/bin/ping = cap_net_raw+ep\n/opt/a b/c cap_kill,cap_chown=ei\n/x =ep\n');
  const attributes = parse('getcap', output);
  t.deepEqual(Object.keys(shown(attributes, '/bin/ping')), ['security.capability']);
  t.is(shown(attributes, '/bin/ping')['security.capability'], '0100000200200000000000000000000000000000');
  t.is(shown(attributes, '/opt/a b/c')['security.capability'], '0100000200000000210000000000000000000000');
  t.truthy(attributes.of('/x' as ByteString));
});

test('words that are not understood are no attributes', (t) => {
  for (const output of ['user.x=0x00\n', '# file: /a\nuser.x="text"\n', '# file: /a\nuser.x=0x0\n']) {
    t.throws(() => parse('getfattr', Buffer.from(output)), { code: 'source.attributes' });
  }
  for (const output of ['no path\n', '/path cap_unknown=ep\n', '/path\n']) {
    t.throws(() => parse('getcap', Buffer.from(output)), { code: 'source.attributes' });
  }
  t.throws(() => parse('getfattr', Buffer.alloc(300_000, 'x')), { message: /more than 256 KiB/ });
});

test('more than memory is to hold is refused', (t) => {
  const attributes = new Attributes();
  const value = Buffer.alloc(64 * 1024);
  t.throws(() => Array.from({ length: 3000 }, (_, i) => attributes.add(`/${i}` as ByteString, 'user.x', value)), {
    code: 'source.attributes',
    message: /more than 128 MiB/,
  });
});

test('a real tree, with the programs that are here', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['getfattr', 'setfattr', 'setcap', 'getcap'])) return;
  const folder = await temporaryFolder(t);
  const odd = `${folder}/odd \n\\name`;
  for (const file of [odd, `${folder}/capable`, `${folder}/plain`]) writeFileSync(file, '');
  execFileSync('setfattr', ['-n', 'trusted.x', '-v', '0x00fe0a', odd]);
  execFileSync('setfattr', ['-n', 'security.selinux', '-v', 'label', odd]);
  execFileSync('setcap', ['cap_net_raw=ep', `${folder}/capable`]);
  const mountPoint = byteString(Buffer.from(folder));
  for (const reader of ['getfattr', 'getcap'] as const) {
    const { script } = attributesCommand(reader, mountPoint, folder);
    const attributes = parse(reader, execFileSync('sh', ['-c', script]), 11);
    t.is(shown(attributes, `${folder}/capable`)['security.capability'], '0100000200200000000000000000000000000000');
    t.deepEqual(shown(attributes, odd), reader === 'getfattr' ? { 'trusted.x': '00fe0a' } : {});
    t.is(attributes.of(`${folder}/plain` as ByteString), undefined);
  }
});
