import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { pack } from 'tar-stream';
import { comparePaths } from '../../src/listing/path.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import type { Anomaly } from '../../src/tar/anomaly.ts';
import { TarFilter } from '../../src/tar/filter.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

interface Filtered {
  readonly bytes: Buffer;
  readonly anomalies: Anomaly[];
  readonly filter: TarFilter;
}

function run(stream: Buffer, wanted: readonly string[], chunk = stream.length): Filtered {
  const paths = wanted.map((path) => path as ByteString).sort(comparePaths);
  let at = 0;
  const anomalies: Anomaly[] = [];
  const next = () => {
    const path = paths[at];
    at += 1;
    return path === undefined ? undefined : { path, hardLinked: path !== '/pipe' };
  };
  const filter = new TarFilter({ next }, { onAnomaly: (anomaly) => anomalies.push(anomaly) });
  const out: Buffer[] = [];
  for (let from = 0; from < stream.length; from += chunk) out.push(...filter.push(stream.subarray(from, from + chunk)));
  out.push(...filter.end());
  return { bytes: Buffer.concat(out), anomalies, filter };
}

/** A tree with names and types of every kind, as GNU tar writes it, and the paths in it. */
async function realStream(
  t: ExecutionContext,
  format: string,
): Promise<{ stream: Buffer; paths: string[]; folder: string }> {
  const folder = await temporaryFolder(t);
  const long = `deep/${'long-name-'.repeat(20)}`;
  for (const name of ['deep', 'empty', long]) mkdirSync(`${folder}/${name}`, { recursive: true });
  writeFileSync(`${folder}/a`, 'content of a');
  writeFileSync(`${folder}/deep/new\nline`, Buffer.alloc(5000, 7));
  writeFileSync(`${folder}/${long}/file`, Buffer.alloc(512, 1));
  writeFileSync(`${folder}/none`, '');
  linkSync(`${folder}/a`, `${folder}/hard`);
  symlinkSync('/'.padEnd(300, 'x'), `${folder}/soft`);
  execFileSync('mkfifo', [`${folder}/pipe`]);
  const names = execFileSync('find', ['.', '-print0'], { cwd: folder })
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
  const paths = names.map((name) => byteStringFromText(name.slice(1) || '/')).sort(comparePaths);
  const list = paths.map((path) => `.${path}\0`).join('');
  const options = ['-c', '-f-', '--no-recursion', `--format=${format}`, '--null', '-T-'];
  if (format === 'posix') options.push('--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime');
  return { stream: execFileSync('tar', options, { cwd: folder, input: Buffer.from(list, 'latin1') }), paths, folder };
}

for (const format of ['posix', 'gnu', 'ustar']) {
  test(`a ${format} stream passes untouched, cut anywhere`, async (t) => {
    const made = await realStream(t, format === 'ustar' ? 'gnu' : format);
    for (const chunk of [1, 7, 511, 512, 513, 10_000, made.stream.length]) {
      const { bytes, anomalies, filter } = run(made.stream, made.paths, chunk);
      t.deepEqual(anomalies, []);
      t.is(filter.counts.entries, made.paths.length);
      t.is(filter.counts.bytes, bytes.length);
      t.true(bytes.equals(made.stream.subarray(0, bytes.length)), `chunks of ${chunk}`);
      const listed = execFileSync('tar', ['-tf-'], { input: bytes }).toString().trim().split('\n');
      t.is(listed.length, made.paths.length);
    }
  });
}

test('what was not asked for is left out, with its extended headers, and the rest is whole', async (t) => {
  const { stream, paths } = await realStream(t, 'posix');
  const wanted = paths.filter((path) => !path.includes('new') && !path.endsWith('/file') && path !== '/soft');
  const { bytes, anomalies, filter } = run(stream, wanted, 100);
  t.is(filter.counts.anomalies['not asked for'], 3);
  t.is(anomalies.length, 3);
  const listed = execFileSync('tar', ['-tf-'], { input: bytes }).toString().trim().split('\n');
  t.is(listed.length, wanted.length);
});

async function packed(...entries: Parameters<ReturnType<typeof pack>['entry']>[0][]): Promise<Buffer> {
  const stream = pack();
  for (const header of entries) stream.entry(header, header.type === 'file' || header.type === undefined ? 'x' : '');
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

test('a second entry of a path is left out, whatever its spelling', async (t) => {
  const stream = await packed(
    { name: './a' },
    { name: 'a' },
    { name: './/a' },
    { name: 'b/', type: 'directory' },
    { name: 'b', type: 'directory' },
  );
  const { anomalies, filter } = run(stream, ['/a', '/b']);
  t.deepEqual(
    anomalies.map((item) => item.kind),
    ['second entry', 'second entry', 'second entry'],
  );
  t.is(filter.counts.entries, 2);
});

test('a name that climbs is never one that was asked for', async (t) => {
  const stream = await packed({ name: '../etc/passwd' }, { name: 'a/../../x' }, { name: 'etc/passwd' });
  const { anomalies } = run(stream, ['/etc/passwd', '/x']);
  t.true(anomalies.some((item) => item.kind === 'not asked for' && item.path.includes('..')));
});

test('a hard link whose target did not come is left out and told', async (t) => {
  const stream = await packed(
    { name: 'a', type: 'link', linkname: 'gone' },
    { name: 'b' },
    { name: 'c', type: 'link', linkname: './b' },
  );
  const { anomalies, filter } = run(stream, ['/a', '/b', '/c']);
  t.deepEqual(anomalies, [{ kind: 'hard link without its target', path: '/a' as ByteString }]);
  t.is(filter.counts.entries, 2);
});

test('what was asked for and did not come is told', async (t) => {
  const { anomalies, filter } = run(await packed({ name: 'b' }), ['/a', '/b', '/c']);
  t.deepEqual(
    anomalies.map((item) => `${item.kind} ${item.path}`),
    ['not delivered /a', 'not delivered /c'],
  );
  t.is(filter.counts.anomalies['not delivered'], 2);
});

test('a stream that ends early is refused, wherever it is cut', async (t) => {
  const stream = await packed({ name: 'a' }, { name: 'b'.repeat(150) });
  const end = stream.length;
  for (let length = 0; length < end; length += length < 2100 ? 1 : 97) {
    t.throws(
      () => run(stream.subarray(0, length), ['/a']),
      { message: /ended early, at byte \d+/ },
      `cut at ${length}`,
    );
  }
});

const header = (change: (block: Buffer) => void): Buffer => {
  const block = execFileSync('tar', ['-c', '-f-', '--format=ustar', '--owner=0', '-C', '/', 'etc/passwd']).subarray(
    0,
    512,
  );
  const copy = Buffer.from(block);
  change(copy);
  copy.write('        ', 148);
  let sum = 0;
  for (const byte of copy) sum += byte;
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return copy;
};

const malformed = test.macro({
  exec(t, stream: Buffer, message: RegExp) {
    for (const chunk of [1, 512, 4096]) t.throws(() => run(stream, ['/etc/passwd'], chunk), { message });
  },
  title: (what) => `refuses ${what}`,
});

test('a wrong checksum', malformed, Buffer.alloc(1024, 'x'), /malformed at byte 0.*(checksum|octal)/);
test(
  'a size that is no number',
  malformed,
  header((b) => b.write('not a number', 124)),
  /octal/,
);
test(
  'a negative size',
  malformed,
  header((b) => b.fill(0xff, 124, 136)),
  /its size is -1/,
);
test(
  'a size beyond all bounds',
  malformed,
  header((b) => b.fill(0x9f, 124, 136)),
  /above 2\^53/,
);
for (const type of ['S', 'D', 'V', 'M', 'N', '\x1b']) {
  test(
    `an entry of type ${JSON.stringify(type)}`,
    malformed,
    header((b) => b.write(type, 156)),
    /no importer takes/,
  );
}
for (const type of ['1', '2', '3', '4', '5', '6']) {
  test(
    `an entry of type ${type} with content`,
    malformed,
    header((b) => {
      b.write(type, 156);
      b.write('00000001000\0', 124);
    }),
    /malformed at byte 0.*that states 512 bytes/,
  );
}
const extended = (text: string, type = 'x'): Buffer =>
  Buffer.concat([
    header((b) => {
      b.write(type, 156);
      b.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
    }),
    Buffer.from(text.padEnd(Math.ceil(text.length / 512) * 512, '\0')),
    header(() => {}),
  ]);
test('a record longer than its header', malformed, extended('99 path=x\n'), /bad record/);
test('a record without a newline', malformed, extended('9 path=xy'), /bad record/);
test('a record without a length', malformed, extended('path=x\n'), /bad record/);
test('a size in an extended header that is no number', malformed, extended('12 size=-1a\n'), /no number/);
test('a sparse map', malformed, extended('22 GNU.sparse.major=1\n'), /a sparse file, which was not asked for/);
test(
  'an extended header of no bytes',
  malformed,
  header((b) => {
    b.write('x', 156);
    b.write('00000000000\0', 124);
  }),
  /extended header of 0 bytes/,
);
test(
  'an extended header of a gigabyte',
  malformed,
  header((b) => {
    b.write('x', 156);
    b.write('10000000000\0', 124);
  }),
  /extended header of 1073741824 bytes/,
);
test(
  'an extended header with nothing after it',
  malformed,
  Buffer.concat([extended('9 path=x\n').subarray(0, 1024), Buffer.alloc(1024)]),
  /no entry after it/,
);

/** What comes before an entry, without the entry. */
const ahead = (text: string, type: string): Buffer => extended(text, type).subarray(0, 1024);
const own = header(() => {});
const NAME = '21 path=./etc/passwd\n';
// Readers take different names of these, and what is judged here must be what is unpacked there.
for (const [what, headers] of Object.entries({
  'a record of a name after a long name': [ahead('./evil\0', 'L'), ahead(NAME, 'x')],
  'a long name after a record of a name': [ahead(NAME, 'x'), ahead('./evil\0', 'L')],
  'a long target beside a record of a target': [ahead('./evil\0', 'K'), ahead('17 linkpath=good\n', 'x')],
})) {
  test(what, malformed, Buffer.concat([...headers, own]), /malformed at byte 1536.*two names for one entry/);
}
for (const [type, text] of [
  ['x', '11 mtime=5\n'],
  ['L', './evil\0'],
  ['K', './evil\0'],
] as const) {
  const twice = Buffer.concat([ahead(type === 'x' ? NAME : text, type), ahead(text, type), own]);
  test(`a second header of type ${type}`, malformed, twice, /malformed at byte 1024.*a second extended header/);
}
for (const [type, text] of [
  ['x', '8 path=\n'],
  ['x', '13 linkpath=\n'],
  ['L', '\0'],
  ['K', '\0'],
] as const) {
  const empty = Buffer.concat([ahead(text, type), own]);
  test(`an empty name in a header ${JSON.stringify([type, text])}`, malformed, empty, /with an empty name/);
}

test('a global header is left out and changes nothing', (t) => {
  const stream = Buffer.concat([extended('9 path=x\n', 'g'), Buffer.alloc(10_000)]);
  const size = Number.parseInt(stream.toString('latin1', 1024 + 124, 1024 + 135), 8);
  const whole = Buffer.concat([stream.subarray(0, 1536), Buffer.alloc(Math.ceil(size / 512) * 512 + 1024)]);
  const { filter, anomalies } = run(whole, ['/etc/passwd']);
  t.deepEqual(anomalies, []);
  t.is(filter.counts.entries, 1);
});

test('a directory whose time means nothing goes out without one', async (t) => {
  const { stream, paths } = await realStream(t, 'posix');
  let at = 0;
  const next = () => {
    const path = paths[at++];
    return path === undefined ? undefined : { path: path as ByteString, hardLinked: true };
  };
  const filter = new TarFilter({ next }, { timeless: new Set(['/empty']) });
  const bytes = Buffer.concat([...filter.push(stream), ...filter.end()]);
  const listed = execFileSync('tar', ['-tvf-', '--full-time', '--utc'], { input: bytes }).toString().split('\n');
  t.regex(listed.find((line) => line.endsWith('./empty/')) ?? '', / 1970-01-01 00:00:00 /);
  t.is(listed.filter((line) => line.includes(' 1970-')).length, 1);
  t.is(listed.length - 1, paths.length);
});
