import test from 'ava';
import { opensAt, parseWindow } from '../../src/fleet/window.ts';

/** Local time, as windows are. 2026-11-27 is a Friday. */
const at = (text: string): number => new Date(`2026-11-${text}:00`).getTime();

for (const [window, now, opens] of [
  ['Sat 22:00-04:00', '27T12:00', '28T22:00'],
  ['Sat 22:00-04:00', '28T22:00', '28T22:00'],
  ['Sat 22:00-04:00', '29T03:59', '29T03:59'],
  ['Sat 22:00-04:00', '22T04:00', '28T22:00'],
  ['daily 01:00-05:00', '27T05:00', '28T01:00'],
  ['Mon-Fri 20:00-24:00', '27T21:00', '27T21:00'],
  ['fri-mon 20:00-21:00', '24T00:00', '27T20:00'],
  ['Sun,Wed 10:00 - 11:00', '23T00:00', '25T10:00'],
  ['2026-11-28 22:00 - 2026-11-29 04:00', '27T00:00', '28T22:00'],
  ['2026-11-28 22:00 - 2026-11-29 04:00', '29T01:00', '29T01:00'],
] as const) {
  test(`${window} at ${now}`, (t) => {
    t.is(parseWindow(window)?.(at(now)), at(opens));
  });
}

test('one that is over never opens, and of several the first does', (t) => {
  const over = parseWindow('2026-11-01 00:00 - 2026-11-02 00:00');
  const daily = parseWindow('daily 01:00-02:00');
  if (over === undefined || daily === undefined) return t.fail();
  t.is(over(at('27T00:00')), undefined);
  t.is(opensAt([over])?.(at('27T00:00')), Number.POSITIVE_INFINITY);
  t.is(opensAt([over, daily])?.(at('27T00:00')), at('27T01:00'));
  t.is(opensAt([]), undefined);
});

for (const text of [
  '',
  'Sat',
  'Sat 25:00-26:00',
  'Sat 10:60-11:00',
  'Sat 10:00-10:00',
  'Su 1:00-2:00',
  '2026-11-29 04:00 - 2026-11-28 22:00',
  'Sat-Mon-Wed 1:00-2:00',
]) {
  test(`no window: '${text}'`, (t) => {
    t.is(parseWindow(text), undefined);
  });
}
