import test from 'ava';
import type { ByteString } from '../../src/printable.ts';
import { UnanchoredLosses } from '../../src/source/unanchored.ts';

test('components of the excluded names, anywhere but where they were meant', (t) => {
  const losses = new UnanchoredLosses();
  const walk = losses.walk('/' as ByteString);
  for (const path of [
    '/',
    '/dev',
    '/opt',
    '/opt/app/root',
    '/opt/app/root/deep/file',
    '/opt/app/rooted',
    '/proc',
    '/root',
    '/srv/lib/modules',
    '/srv/lib/modules/x.js',
    '/usr/include/dev',
    '/usr/lib/modules',
    '/usr/share/proc',
    '/usr/share/proc/root',
  ]) {
    walk.add(path as ByteString);
  }
  t.deepEqual(losses.result, [
    { exclude: 'root', entries: 2, examples: ['/opt/app/root'] },
    { exclude: 'proc', entries: 2, examples: ['/usr/share/proc'] },
    { exclude: 'dev', entries: 1, examples: ['/usr/include/dev'] },
    { exclude: 'lib/modules', entries: 2, examples: ['/srv/lib/modules'] },
  ]);
});
