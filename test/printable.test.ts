import test from 'ava';
import { byteString, byteStringFromText, bytesOf, printable, printablePath } from '../src/printable.ts';

test('what a terminal obeys is escaped, and everything else is left', (t) => {
  t.is(printable('\x1b]0;title\x07'), '\\x1b]0;title\\x07');
  t.is(printable('a\nb\tc'), 'a\\nb\\tc');
  t.is(printable('a\nb', { newlines: true }), 'a\nb');
  t.is(printable('\u202eevil\u200b'), '\\u{202e}evil\\u{200b}');
  t.is(printable('\x9b31m'), '\\x9b31m');
  t.is(printable('ümläut 日本'), 'ümläut 日本');
});

test('paths are bytes: UTF-8 is shown, other bytes are escaped', (t) => {
  t.is(printablePath(byteStringFromText('/ü')), '/ü');
  t.is(printablePath(byteString(Buffer.from([0x2f, 0xff, 0x41, 0x0a]))), '/\\xffA\\n');
  t.deepEqual(bytesOf(byteString(Buffer.from([0, 128, 255]))), Buffer.from([0, 128, 255]));
});
