import { execFileSync } from 'node:child_process';
import test from 'ava';
import { type ByteString, byteString } from '../../src/printable.ts';
import { TarFilter } from '../../src/tar/filter.ts';
import { emptyFile } from '../../src/tar/made-entry.ts';

const END = Buffer.alloc(1024);
const ATTRIBUTES = { mode: 0o664, uid: 0, gid: 43 };

function listed(bytes: Buffer): string[] {
  const options = ['-tvf-', '--numeric-owner', '--full-time', '--utc', '--quoting-style=escape'];
  return execFileSync('tar', options, { input: Buffer.concat([bytes, END]) })
    .toString()
    .trim()
    .split('\n');
}

test('an empty file with all that a header holds', (t) => {
  t.deepEqual(listed(emptyFile('/var/log/lastlog' as ByteString, ATTRIBUTES)), [
    '-rw-rw-r-- 0/43              0 1970-01-01 00:00:00 ./var/log/lastlog',
  ]);
});

test('what does not fit a header goes before it', (t) => {
  const path = byteString(Buffer.from(`/${'d'.repeat(120)}/\xff`, 'latin1'));
  const [line = ''] = listed(emptyFile(path, { mode: 0o4755, uid: 2 ** 32 - 2, gid: 2 ** 21 }));
  t.true(line.startsWith('-rwsr-xr-x 4294967294/2097152'), line);
  t.true(line.endsWith('/\\377'), line);
});

/** Asks for `paths`, of which those that begin with `made:` are made. */
function through(stream: Buffer, paths: readonly string[]) {
  const wanted = paths
    .map((path) =>
      path.startsWith('made:')
        ? { path: path.slice(5) as ByteString, hardLinked: false, made: ATTRIBUTES }
        : { path: path as ByteString, hardLinked: false },
    )
    .values();
  const told: string[] = [];
  const delivered: string[] = [];
  const filter = new TarFilter(
    { next: () => wanted.next().value },
    {
      onAnomaly: ({ kind, path }) => told.push(`${kind} ${path}`),
      onDelivered: ({ path, fixes }) => delivered.push(`${path} ${fixes.join()}`),
    },
  );
  const out = [...filter.push(stream), ...filter.end()];
  return { names: listed(Buffer.concat(out)).map((line) => line.replace(/.* /, '')), told, delivered };
}

test('made files stand among the streamed ones in their order, at the end too', (t) => {
  const entry = (path: string): Buffer => emptyFile(path as ByteString, ATTRIBUTES);
  const stream = Buffer.concat([entry('/b'), entry('/d'), END]);
  const { names, told, delivered } = through(stream, ['made:/a', '/b', 'made:/c', '/d', 'made:/e']);
  t.deepEqual(names, ['./a', './b', './c', './d', './e']);
  t.deepEqual(told, ['recreated empty /a', 'recreated empty /c', 'recreated empty /e']);
  t.deepEqual(delivered, ['/a recreated empty', '/b ', '/c recreated empty', '/d ', '/e recreated empty']);
});

test('what the tar sends of a made file is not asked for', (t) => {
  const { names, told } = through(Buffer.concat([emptyFile('/a' as ByteString, ATTRIBUTES), END]), ['made:/a']);
  t.deepEqual(names, ['./a']);
  t.deepEqual(told, ['recreated empty /a', 'second entry /a']);
});
