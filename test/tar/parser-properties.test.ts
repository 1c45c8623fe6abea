import test from 'ava';
import fc from 'fast-check';
import { P2cError } from '../../src/errors.ts';
import { FindParser } from '../../src/listing/scan.ts';
import { type AttributeReader, Attributes, AttributesParser } from '../../src/source/attributes.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { binaryAcl } from '../../src/tar/acl.ts';
import { binaryCapability } from '../../src/tar/file-capability.ts';
import { HeaderError } from '../../src/tar/header.ts';
import { parsePax, paxRecord } from '../../src/tar/pax.ts';
import { held } from '../helpers/held.ts';

/** Bytes that look like what a parser reads: its own words, strung together and broken. */
function noise(...words: readonly string[]): fc.Arbitrary<Buffer> {
  const word = fc.oneof(
    fc.constantFrom(...words).map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  );
  return fc.array(word, { maxLength: 40 }).map((parts) => Buffer.concat(parts));
}

/** What a parser of pieces made of the bytes, or its own error; any other error is a fault. */
function outcome<Result>(bytes: Buffer, step: number, parse: (pieces: Iterable<Buffer>) => Result): Result | string {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
  try {
    return parse(pieces);
  } catch (error) {
    if (error instanceof P2cError) return error.code;
    throw error;
  }
}

const step = fc.integer({ min: 1, max: 60 });

test('listings: any bytes are entries or an error of the parser, the same in pieces', (t) => {
  const lines = noise(
    'f 644 0 0 5 8 1.5 1.5 1 2 1 /a\0\0',
    '= 81a4 0 0 1 8 1 1 1 1 1 /b\0\0',
    'd 755 0',
    '\0',
    '\n',
    ' ',
  );
  const parse = (pieces: Iterable<Buffer>) => {
    const parser = new FindParser();
    const entries = [...pieces].flatMap((piece) => parser.push(piece));
    parser.end();
    return entries;
  };
  held(
    fc.property(lines, step, (bytes, each) => {
      t.deepEqual(outcome(bytes, each, parse), outcome(bytes, 1_000_000, parse));
    }),
    500,
  );
});

test('attributes: any bytes are attributes or an error of the parser, the same in pieces', (t) => {
  const words = [
    '# file: /a\n',
    'user.x=0x00ff\n',
    'trusted.y\n',
    '\n',
    '/b cap_chown=ep\n',
    '/c = cap_kill+i\n',
    '\\012',
    '=',
  ];
  const parse = (reader: AttributeReader) => (pieces: Iterable<Buffer>) => {
    const attributes = new Attributes();
    const parser = new AttributesParser(reader, attributes);
    for (const piece of pieces) parser.push(piece);
    parser.end();
    return attributes.size;
  };
  held(
    fc.property(
      noise(...words),
      step,
      fc.constantFrom('getfattr' as const, 'getcap' as const),
      (bytes, each, reader) => {
        t.is(outcome(bytes, each, parse(reader)), outcome(bytes, 1_000_000, parse(reader)));
      },
    ),
    500,
  );
});

test('records of extended headers: what is read is what was written', (t) => {
  const key = fc.constantFrom('path', 'size', 'SCHILY.xattr.user.x', 'GNU.sparse.name', 'mtime');
  const records = fc.array(fc.tuple(key, fc.uint8Array({ maxLength: 300 })), { maxLength: 5 });
  held(
    fc.property(records, (all) => {
      const bytes = Buffer.concat(all.map(([name, value]) => paxRecord(name, Buffer.from(value))));
      const read = parsePax(bytes).map(({ key: name, value }) => [name, value.toString('hex')]);
      t.deepEqual(
        read,
        all.map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
      );
    }),
    500,
  );
});

test('records of extended headers: any bytes are records or an error of the parser', (t) => {
  held(
    fc.property(noise('12 path=ab\n', '9 size=1\n', '30 ', '=', '\n', '\0'), (bytes) => {
      try {
        t.true(Array.isArray(parsePax(bytes)));
      } catch (error) {
        t.true(error instanceof HeaderError, String(error));
      }
    }),
    500,
  );
});

test('ACLs, capabilities and mount tables: any text is a value or none', (t) => {
  const acl = noise('user::rwx\n', 'user:5:r--,', 'mask::', 'group::r-x', 'other::---', 'default:');
  const capability = noise('cap_chown', ',', '=', '+ep', '-i', ' ', '[rootid=5]', '=ep');
  const mounts = noise('20 1 8:1 / / rw - ext4 /dev/sda1 rw\n', '/a\\040b', ' - ', '\n', ' ', 'shared:1');
  held(
    fc.property(acl, capability, mounts, (one, two, three) => {
      const { value } = binaryAcl(one.toString('latin1'));
      t.true(value === undefined || value.length <= 65_536);
      const capabilities = binaryCapability(two.toString('latin1'));
      t.true(capabilities === undefined || [20, 24].includes(capabilities.length));
      const table = outcome(three, 1_000_000, (pieces) => parseMountinfo(Buffer.concat([...pieces])));
      t.true(typeof table === 'string' || Array.isArray(table));
    }),
    500,
  );
});
