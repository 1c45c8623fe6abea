import test from 'ava';
import { byteStringFromText } from '../../src/printable.ts';
import { volumePlaces } from '../../src/profiles/volumes.ts';

test('each place once and in one spelling; stored beside the image where one profile says so', (t) => {
  const places = volumePlaces([
    {
      volumes: [
        { path: '/srv//db/', capture: 'image' },
        { path: '/ü', capture: 'image' },
      ],
    },
    { volumes: [{ path: '/srv/db', capture: 'volume' }] },
    { volumes: [{ path: '/srv/./db', capture: 'image' }] },
  ]);
  t.deepEqual(places, [
    { path: byteStringFromText('/srv/db'), apart: true },
    { path: byteStringFromText('/ü'), apart: false },
  ]);
});
