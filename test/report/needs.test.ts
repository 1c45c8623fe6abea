import test from 'ava';
import { captureNeeds, describeNeeds } from '../../src/report/needs.ts';

test('time and disk of a capture, with the rates they rest on', (t) => {
  const needs = captureNeeds(9_000_000_000);
  t.deepEqual(needs, {
    disk: { here: 9_000_000_000, source: 0 },
    transfer: [
      { linkBitsPerSecond: 1_000_000_000, bytesPerSecond: 112_500_000, milliseconds: 80_000 },
      { linkBitsPerSecond: 100_000_000, bytesPerSecond: 11_250_000, milliseconds: 800_000 },
    ],
  });
  t.is(
    describeNeeds(needs),
    'Needs: that much disk here, none on the server; 1 min 20 s at 1 Gbit/s, 13 min 20 s at 100 Mbit/s, where its disk is as fast',
  );
});

test('nothing takes no time', (t) => {
  t.deepEqual(
    captureNeeds(0).transfer.map(({ milliseconds }) => milliseconds),
    [0, 0],
  );
});
