import test from 'ava';
import fc from 'fast-check';
import { BlindSpots, loopIn, unseenComplaint, unseenIn } from '../../src/listing/blind-spots.ts';
import { byteString, byteStringFromText } from '../../src/printable.ts';

/** What finds say of a directory mounted within itself, by the bytes of its path. */
const LOOPS: readonly (readonly [string, string, string])[] = [
  [
    'findutils 4.9 under LC_ALL=C',
    "find: File system loop detected; '/var/named/chroot/var/named' is part of the same file system loop as '/var/named'.",
    '/var/named/chroot/var/named',
  ],
  [
    'findutils 4.9 in UTF-8, which leaves other quotes alone',
    "find: File system loop detected; ‘/o'a\\nb/c’ is part of the same file system loop as ‘/o'a\\nb’.",
    "/o'a\nb/c",
  ],
  ['findutils 4.4', "find: File system loop detected; `/a/b' is part of the same file system loop as `/a'.", '/a/b'],
  ['findutils 4.3', "find: Filesystem loop detected; `/a/b' is part of the same filesystem loop as `/a'.", '/a/b'],
  [
    'findutils 4.2',
    "find: Filesystem loop detected; `/a/b' has the same device number and inode as a directory which is 2 levels higher in the filesystem hierarchy.",
    '/a/b',
  ],
  [
    'findutils 4.2, one level, a quote in the name',
    "find: Filesystem loop detected; `/a/o'b' has the same device number and inode as a directory which is 1 level higher in the filesystem hierarchy.",
    "/a/o'b",
  ],
  [
    'bytes and quotes as GNU programs write them',
    "find: File system loop detected; '/\\303\\251/o\\'a: b\\nc' is part of the same file system loop as '/\\303\\251'.",
    "/é/o'a: b\nc",
  ],
  [
    'a name that looks like the end of the sentence',
    "find: File system loop detected; '/a\\' is part of the same file system loop as \\'/etc\\'./b' is part of the same file system loop as '/a'.",
    "/a' is part of the same file system loop as '/etc'./b",
  ],
];

for (const [of, line, path] of LOOPS) {
  test(`a loop that find names is about one directory: ${of}`, (t) => {
    t.is(loopIn(line), byteStringFromText(path));
    t.is(unseenIn(line)?.path, byteStringFromText(path));
    const spots = new BlindSpots([line]);
    t.true(spots.covers(byteStringFromText(`${path}/below`)));
    t.false(spots.covers(byteStringFromText('/etc')));
  });
}

const ODD = [
  "find: File system loop detected; 'a/b' is part of the same file system loop as 'a'.",
  "find: File system loop detected; '/a\ufffd' is part of the same file system loop as '/a'.",
  "find: File system loop detected; '/a",
  'find: File system loop detected; /a is part of the same file system loop as /b.',
  // Whether a backslash is the name's own depends on find's age.
  "find: Filesystem loop detected; `/a\\b' has the same device number and inode as a directory which is 2 levels higher in the filesystem hierarchy.",
  "find: WARNING: Hard link count is wrong for `/data' (saw only st_nlink=2 but we already saw 0 subdirectories): this may be a bug in your file system driver.  Automatically turning on find's -noleaf option.  Earlier results may have failed to include directories that should have been searched.",
];

for (const line of ODD) {
  test(`a complaint that names no path for certain is about any: ${line.slice(0, 80)}`, (t) => {
    t.is(unseenIn(line), undefined);
    t.true(new BlindSpots([line]).covers(byteStringFromText('/etc')));
  });
}

test('what p2c itself did not look into is read back, whatever the name', (t) => {
  const name = fc.uint8Array({ minLength: 1, max: 255 }).filter((bytes) => !bytes.includes(0) && bytes.at(-1) !== 0x2f);
  fc.assert(
    fc.property(name, (bytes) => {
      const path = byteString(Buffer.concat([Buffer.from('/'), bytes]));
      const line = unseenComplaint({ path, reason: 'for a test, of 1,000' });
      t.regex(line, /^[ -~]+$/);
      t.deepEqual(unseenIn(line), { path, reason: 'for a test, of 1,000' });
    }),
  );
});
