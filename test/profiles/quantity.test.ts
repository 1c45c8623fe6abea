import test from 'ava';
import fc from 'fast-check';
import { nearest } from '../../src/profiles/nearest.ts';
import { formatSeconds, parseDuration, parseSize } from '../../src/profiles/quantity.ts';

test('durations', (t) => {
  const known = { '60s': 60_000, '2m': 120_000, '1h30m': 5_400_000, '1.5s': 1500, '250ms': 250, '1d': 86_400_000 };
  for (const [text, ms] of Object.entries(known)) t.is(parseDuration(text), ms, text);
  for (const text of ['', '60', 's', '-1s', '1 s', '1S', '1s1', '1e3s', '1w', '9'.repeat(40), `${'9'.repeat(30)}d`]) {
    t.is(parseDuration(text), undefined, text);
  }
});

test('sizes', (t) => {
  const known = {
    '512': 512,
    '64k': 65_536,
    '1g': 1024 ** 3,
    '1.5GiB': 1.5 * 1024 ** 3,
    '2 MB': 2 * 1024 ** 2,
    '1b': 1,
  };
  for (const [text, bytes] of Object.entries(known)) t.is(parseSize(text), bytes, text);
  for (const text of ['', 'g', '-1', '1x', '1gg', '1e9', ' 1', '999999999999999t'])
    t.is(parseSize(text), undefined, text);
});

test('quantities are never NaN, negative or unsafe', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,20}(ms|s|m|h|d|k|g|GiB)?$/)), (text) => {
      for (const value of [parseDuration(text), parseSize(text)]) {
        if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test('seconds for people', (t) => {
  t.deepEqual([400, 9940, 95_000, 120_000, 125_000].map(formatSeconds), [
    '0.4 s',
    '9.9 s',
    '95 s',
    '2 min',
    '2 min 5 s',
  ]);
});

test('the nearest word', (t) => {
  t.is(nearest('ngnix', ['cron', 'nginx']), 'nginx');
  t.is(nearest('STOP', ['start', 'stop']), 'stop');
  t.is(nearest('zzz', ['start', 'stop']), undefined);
  t.is(nearest('x'.repeat(100_000), ['start']), undefined);
  t.is(nearest('a', []), undefined);
});
