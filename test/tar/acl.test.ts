import test from 'ava';
import { binaryAcl } from '../../src/tar/acl.ts';

/** Tag, permissions and id of each entry, as the kernel would read them. */
function entries(value: Buffer | undefined): string[] {
  if (value === undefined) return ['none'];
  const found = [`version ${value.readUInt32LE(0)}`];
  for (let at = 4; at < value.length; at += 8) {
    found.push([value.readUInt16LE(at), value.readUInt16LE(at + 2), value.readUInt32LE(at + 4)].join(' '));
  }
  return found;
}

const MINIMAL = ['version 2', '1 7 4294967295', '4 5 4294967295', '32 0 4294967295'];

test('the three entries of a mode', (t) => {
  for (const text of [
    'user::rwx\ngroup::r-x\nother::---\n',
    'u::rwx,g::r-x,o::---',
    'other:---,group::r-x, user::rwx',
  ]) {
    t.deepEqual(entries(binaryAcl(text).value), MINIMAL, text);
  }
});

test('names are sorted by id, as the kernel demands, with comments left out', (t) => {
  const { value, unmapped } = binaryAcl(
    'user::rwx\nuser:2000:r--\t#effective:r--\nuser:30:-w-\ngroup::r-x\ngroup:name:--x:4294967294\nmask::rwx\nother::---\n',
  );
  t.deepEqual(entries(value), [
    'version 2',
    '1 7 4294967295',
    '2 2 30',
    '2 4 2000',
    '4 5 4294967295',
    '8 1 4294967294',
    '16 7 4294967295',
    '32 0 4294967295',
  ]);
  t.is(unmapped, 0);
});

test('a name without an id is counted, and the rest is kept with the mask', (t) => {
  const { value, unmapped } = binaryAcl('user::rwx,user:bob:rwx,group::r-x,mask::rwx,other::---');
  t.is(unmapped, 1);
  t.deepEqual(entries(value), ['version 2', '1 7 4294967295', '4 5 4294967295', '16 7 4294967295', '32 0 4294967295']);
});

for (const text of [
  'user::rwx',
  'user::rwx,group::r-x,other::---,other::---',
  'user::rwx,group::r-x,other::---,user:1:rwx',
  'user::rwx,user:1:r--,user:1:rwx,group::r-x,mask::rwx,other::---',
  'user::rwz,group::r-x,other::---',
  'user::rwx,group::r-x,mask:5:rwx,other::---',
  'nobody::rwx,group::r-x,other::---',
  'user::rwx:1:2,group::r-x,other::---',
  '\0',
]) {
  test(`is no ACL: ${JSON.stringify(text)}`, (t) => t.is(binaryAcl(text).value, undefined));
}

test('an ACL above the bound of an attribute is refused', (t) => {
  const users = Array.from({ length: 9000 }, (_, i) => `user:${i}:rwx`).join(',');
  t.is(binaryAcl(`user::rwx,${users},group::r-x,mask::rwx,other::---`).value, undefined);
});
