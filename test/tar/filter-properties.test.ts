import test from 'ava';
import fc from 'fast-check';
import { P2cError } from '../../src/errors.ts';
import type { ByteString } from '../../src/printable.ts';
import { BLOCK, withFields } from '../../src/tar/header.ts';
import { cleanName } from '../../src/tar/name.ts';
import { paxRecord } from '../../src/tar/pax.ts';
import { type Filtered, filtered } from '../helpers/filtered.ts';
import { held } from '../helpers/held.ts';

const NAMES = ['a', './b', 'c/', './/c/d', '.wh.e', 'f/.wh.g', 'h\xff\n', '../i', 'n'.repeat(100)];
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString('latin1')),
);
const ACL = 'user::rw-,user:1000:r--,group::r--,mask::r--,other::---';
const record = fc.oneof(
  fc.tuple(
    fc.constantFrom('SCHILY.xattr.security.selinux', 'RHT.security.selinux', 'SCHILY.xattr.user.x', 'atime', 'mtime'),
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
  ),
  fc.tuple(
    fc.constantFrom('SCHILY.acl.access', 'SCHILY.acl.default'),
    fc.oneof(fc.constant(ACL), fc.constant('user:bob:rwx'), fc.string()).map((text) => Buffer.from(text)),
  ),
);
const entry = fc.record({
  name,
  long: fc.constantFrom('none', 'pax', 'gnu', 'sparse'),
  magic: fc.constantFrom('ustar\x0000', 'ustar  \0', '\0\0\0\0\0\0\0\0'),
  type: fc.constantFrom('0', '\0', '1', '2', '3', '5', '6', '7'),
  linkName: name,
  content: fc.uint8Array({ maxLength: 1100 }),
  records: fc.array(record, { maxLength: 4 }),
});
type Entry = typeof entry extends fc.Arbitrary<infer Value> ? Value : never;

function block(title: string, type: string, size: number, magic: string, linkName = ''): Buffer {
  return withFields(Buffer.alloc(BLOCK), (copy) => {
    copy.write(title.slice(0, 100), 0, 'latin1');
    copy.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    copy.write('00000000012\0', 136);
    copy.write(type, 156, 'latin1');
    copy.write(linkName.slice(0, 100), 157, 'latin1');
    copy.write(magic, 257, 'latin1');
  });
}

function withContent(head: (size: number) => Buffer, content: Buffer): Buffer {
  return Buffer.concat([head(content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

function encoded(each: Entry): Buffer {
  const bytes = Buffer.from(each.name, 'latin1');
  const parts: Buffer[] = [];
  if (each.long === 'gnu') {
    const long = Buffer.concat([bytes, Buffer.alloc(1)]);
    parts.push(withContent((size) => block('././@LongLink', 'L', size, each.magic), long));
  }
  const records = each.records.map(([key, value]) => paxRecord(key, value));
  if (each.long === 'pax') records.push(paxRecord('path', bytes));
  if (each.long === 'sparse') {
    const fields = { major: Buffer.from('1'), minor: Buffer.from('0'), name: bytes, realsize: Buffer.from('9') };
    records.push(...Object.entries(fields).map(([key, value]) => paxRecord(`GNU.sparse.${key}`, value)));
  }
  if (records.length > 0) {
    parts.push(withContent((size) => block('./PaxHeaders.12/x', 'x', size, each.magic), Buffer.concat(records)));
  }
  const title = each.long === 'none' ? each.name : 'short';
  const content = '0\x007'.includes(each.type) ? Buffer.from(each.content) : Buffer.alloc(0);
  parts.push(withContent((size) => block(title, each.type, size, each.magic, each.linkName), content));
  return Buffer.concat(parts);
}

const END = Buffer.alloc(2 * BLOCK);
const entries = fc.array(entry, { maxLength: 8 });
const chunks = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 });
const archive = entries.map((all) => Buffer.concat([...all.map(encoded), END]));
const pathsOf = (all: readonly Entry[]): string[] => [
  ...new Set(all.map((each) => cleanName(each.name as ByteString))),
];

/** What the filter gives, or its error; any error but its own is a fault. */
function outcome(stream: Buffer, paths: readonly string[], lengths: readonly number[]): Filtered | string {
  try {
    return filtered(stream, paths, lengths, ['/c'], { sparse: true });
  } catch (error) {
    if (error instanceof P2cError) return error.message;
    throw error;
  }
}

test('any entries: what leaves was asked for, once, re-parses to itself, and does not depend on chunks', (t) => {
  const property = fc.property(entries, chunks, fc.array(fc.boolean(), { maxLength: 8 }), (all, lengths, left) => {
    const stream = Buffer.concat([...all.map(encoded), END]);
    const paths = pathsOf(all).filter((_, i) => left[i] !== true);
    const whole = filtered(stream, paths, [stream.length], ['/c'], { sparse: true });
    const cut = filtered(stream, paths, lengths, ['/c'], { sparse: true });
    t.true(whole.bytes.equals(cut.bytes));
    t.deepEqual(whole.anomalies, cut.anomalies);
    const delivered = whole.delivered.map(({ path }): string => path);
    t.is(new Set(delivered).size, delivered.length);
    t.true(delivered.every((path) => paths.includes(path) && !path.includes('/.wh.')));
    for (const { path, offset, hardLink } of cut.delivered) {
      // What it is linked to lies before it.
      if (hardLink !== undefined) continue;
      const rest = filtered(whole.bytes.subarray(offset), [path], [512], ['/c'], { sparse: true });
      t.is(rest.delivered[0]?.path, path);
      t.is(rest.delivered[0]?.offset, 0);
    }
    const again = filtered(whole.bytes, delivered, [777], ['/c'], { sparse: true });
    t.true(again.bytes.equals(whole.bytes));
    t.deepEqual(
      again.delivered.map(({ path, digest }) => [path, digest]),
      whole.delivered.map(({ path, digest }) => [path, digest]),
    );
    t.false(whole.bytes.includes('security.selinux='));
  });
  held(property, 300);
});

test('any truncation is refused, by no other error than its own', (t) => {
  const property = fc.property(archive, fc.nat(), chunks, (stream, at, lengths) => {
    const cut = stream.subarray(0, at % stream.length);
    t.regex(String(outcome(cut, ['/a'], lengths)), /ended early|malformed/);
  });
  held(property, 300);
});

test('any changed bytes: an error of its own, or the same output for any chunks', (t) => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
  const property = fc.property(entries, changes, chunks, (all, changed, lengths) => {
    const stream = Buffer.concat([...all.map(encoded), END]);
    for (const [at, byte] of changed) stream[at % stream.length] = byte;
    // A header whose checksum is right again gets further than any other.
    const [first] = changed;
    const start = Math.floor(((first?.[0] ?? 0) % stream.length) / BLOCK) * BLOCK;
    withFields(stream.subarray(start, start + BLOCK), () => {}).copy(stream, start);
    const whole = outcome(stream, pathsOf(all), [stream.length]);
    const cut = outcome(stream, pathsOf(all), lengths);
    if (typeof whole === 'string' || typeof cut === 'string') t.is(typeof whole, typeof cut);
    else t.true(whole.bytes.equals(cut.bytes));
  });
  held(property, 500);
});
