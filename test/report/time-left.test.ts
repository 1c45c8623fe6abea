import test from 'ava';
import { formatTimeLeft } from '../../src/report/units.ts';

test('time left is told once the rate says something', (t) => {
  t.is(formatTimeLeft(0.5, 10_000), '10.0 s left');
  t.is(formatTimeLeft(1, 10_000), '0 ms left');
  for (const [share, elapsed] of [
    [0, 60_000],
    [0.001, 60_000],
    [0.2, 500],
    [0.2, 0],
  ] as const) {
    t.is(formatTimeLeft(share, elapsed), '', `${share} after ${elapsed} ms`);
  }
});
