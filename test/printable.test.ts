import test from 'ava';
import { byteString, byteStringFromText, bytesOf, jsonText, printable, printablePath } from '../src/printable.ts';

test('what a terminal obeys is escaped, and everything else is left', (t) => {
  t.is(printable('\x1b]0;title\x07'), '\\x1b]0;title\\x07');
  t.is(printable('a\nb\tc'), 'a\\nb\\tc');
  t.is(printable('a\nb', { newlines: true }), 'a\nb');
  t.is(printable('\u202eevil\u200b'), '\\u{202e}evil\\u{200b}');
  t.is(printable('\x9b31m'), '\\x9b31m');
  t.is(printable('ümläut 日本'), 'ümläut 日本');
});

test('JSON holds nothing that a terminal obeys, and is read as what it was', (t) => {
  const value = { 'k\x9b': 'a\x85b\x7f\u202ec\ufeff\x1b\n', list: ['\u2028', 'ü日本', '\ud83d\ude00'] };
  const text = jsonText(value);
  t.is(text, '{"k\\u009b":"a\\u0085b\\u007f\\u202ec\\ufeff\\u001b\\n","list":["\\u2028","ü日本","\ud83d\ude00"]}');
  t.deepEqual(JSON.parse(text), value);
  t.is(jsonText([1], 2), '[\n  1\n]');
});

test('paths are bytes: UTF-8 is shown, other bytes are escaped', (t) => {
  t.is(printablePath(byteStringFromText('/ü')), '/ü');
  t.is(printablePath(byteString(Buffer.from([0x2f, 0xff, 0x41, 0x0a]))), '/\\xffA\\n');
  t.deepEqual(bytesOf(byteString(Buffer.from([0, 128, 255]))), Buffer.from([0, 128, 255]));
});
