import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Entry, UNKNOWN_NANOSECONDS } from '../../src/listing/entry.ts';
import { FindParser, findScript } from '../../src/listing/scan.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const APPLETS = ['sh', 'find', 'stat', 'readlink', 'xargs', 'grep', 'tr', 'echo'];

/** A PATH of busybox only; scripts named here stand in for an applet, and sh is this machine's: busybox's own looks at no PATH. */
async function busyboxPath(t: ExecutionContext, own: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await temporaryFolder(t);
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  for (const name of APPLETS)
    if (own[name] === undefined)
      symlinkSync(name === 'sh' && Object.keys(own).length > 0 ? '/bin/sh' : busybox, `${folder}/${name}`);
  for (const [name, text] of Object.entries(own)) {
    writeFileSync(`${folder}/${name}`, `#!/bin/sh\n${text.replaceAll('BUSYBOX', busybox)}\n`, { mode: 0o755 });
  }
  return folder;
}

function list(folder: string, path: string | undefined, chunk = 7): Entry[] {
  const env = { PATH: path ?? process.env['PATH'], LC_ALL: 'C' };
  const sh = path === undefined ? '/bin/sh' : `${path}/sh`;
  const bytes = execFileSync(sh, ['-c', findScript({ path: byteStringFromText(folder), what: 'filesystem' })], {
    env,
    maxBuffer: 2 ** 26,
  });
  const parser = new FindParser();
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += chunk) entries.push(...parser.push(bytes.subarray(at, at + chunk)));
  parser.end();
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Long names, for what makes more than one batch is their bytes; few files, for each is made, read and compared. */
const MANY = 1200;
const numbered = (number: number): string => String(number).padEnd(230, '-');
const SEVEN = numbered(7);

/** Names that would forge a record, were one made of lines. */
const FORGED = [
  'new\nline',
  'x\n= 81a4 0 0 1 8 1 1 1 1 1 /etc/shadow',
  '\n',
  'end\n',
  '%s%n\\0',
  'quote\'"`$(id)',
  '-dash',
  ' ',
  '*',
];

async function hostileTree(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const name of FORGED) {
    mkdirSync(dirname(`${folder}/${name}`), { recursive: true });
    writeFileSync(`${folder}/${name}`, name);
    symlinkSync(name, `${folder}/link to ${name.replaceAll('/', '|')}`);
  }
  mkdirSync(`${folder}/dir`, { mode: 0o1770 });
  linkSync(`${folder}/-dash`, `${folder}/dir/second`);
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'raw');
  writeFileSync(`${folder}/sparse`, '');
  execFileSync('mkfifo', [`${folder}/fifo`]);
  execFileSync('mknod', [`${folder}/null`, 'c', '1', '3']);
  truncateSync(`${folder}/sparse`, 3 * 2 ** 30);
  execFileSync('touch', ['-d', '@-5.25', `${folder}/-dash`]);
  execFileSync('chown', ['70000:4000000', `${folder}/sparse`]);
  for (let i = 0; i < MANY; i += 1) writeFileSync(`${folder}/dir/${numbered(i)}`, '');
  return folder;
}

test('busybox gives the same records as GNU find, whatever the names', async (t) => {
  if (!requirePrograms(t, ['busybox'])) return;
  const folder = await hostileTree(t);
  const gnu = list(folder, undefined);
  t.is(gnu.length, MANY + 2 * FORGED.length + 9);
  t.deepEqual(list(folder, await busyboxPath(t)), gnu);
});

test('without xargs, the names come by -exec +', async (t) => {
  if (!requirePrograms(t, ['busybox'])) return;
  const folder = await hostileTree(t);
  const xargs = 'exit 127';
  t.deepEqual(list(folder, await busyboxPath(t, { xargs })), list(folder, undefined));
});

test('a stat that knows no parts of a second leaves them unknown', async (t) => {
  if (!requirePrograms(t, ['busybox'])) return;
  const folder = await hostileTree(t);
  // As busybox before 1.23 writes it.
  const stat = `BUSYBOX stat "$@" | BUSYBOX sed 's/\\.[0-9]\\{9\\} /.000000000 /g'`;
  const unknown = (entry: Entry): Entry => ({
    ...entry,
    mtime: { ...entry.mtime, nanoseconds: UNKNOWN_NANOSECONDS },
    ctime: { ...entry.ctime, nanoseconds: UNKNOWN_NANOSECONDS },
  });
  t.deepEqual(list(folder, await busyboxPath(t, { stat })), list(folder, undefined).map(unknown));
});

test('what vanishes between find and stat does not shift the names', async (t) => {
  if (!requirePrograms(t, ['busybox'])) return;
  const folder = await hostileTree(t);
  const whole = list(folder, undefined).filter(({ path }) => !path.endsWith(`/dir/${SEVEN}`));
  // The first stat of a batch finds one of them gone.
  const stat = `BUSYBOX rm -f ${folder}/dir/${SEVEN}; exec BUSYBOX stat "$@"`;
  const listed = list(folder, await busyboxPath(t, { stat }));
  const still = (entry: Entry): boolean => entry.path !== `${folder}/dir`;
  t.deepEqual(listed.filter(still), whole.filter(still));
});

test('with neither -printf nor stat the script ends with an error', async (t) => {
  if (!requirePrograms(t, ['busybox'])) return;
  const path = await busyboxPath(t, { stat: 'exit 127' });
  t.throws(() => list('/etc', path), { message: /neither find -printf nor find with stat/ });
});

test('records of stat that are none are refused; a link whose target is gone is passed over', (t) => {
  const record = (text: string): Entry[] => new FindParser().push(Buffer.from(text));
  const [file] = record('= 81a4 0 0 5 8 1 -1 1 2 1 /etc/passwd\0\0');
  t.is(file?.path, '/etc/passwd' as ByteString);
  t.deepEqual(file?.ctime, { seconds: -1, nanoseconds: UNKNOWN_NANOSECONDS });
  t.deepEqual(record('= a1ff 0 0 5 0 1 1 1 2 1 /link\0\0'), []);
  for (const fields of ['zzzz 0 0 5 8 1 1 1 2 1 /a', '81a4 0 0 5 8 1 1 1 2 1 a', '81a4 0 0 5 8 ? ? 1 2 1 /a', '/a']) {
    t.throws(() => record(`= ${fields}\0\0`), { message: /at byte 0/ }, fields);
  }
});

test('a find that is killed half way is no whole listing, also where its names go through xargs', async (t) => {
  if (!requirePrograms(t, ['busybox'])) return;
  const folder = await hostileTree(t);
  const find = `case "$*" in *-prune*) exec BUSYBOX find "$@" ;; esac
BUSYBOX find "$@" | BUSYBOX head -c 2000; kill -9 $$`;
  const path = await busyboxPath(t, { find });
  t.like(
    t.throws(() => list(folder, path)),
    { status: 137 },
  );
  const troubled = await busyboxPath(t, { find: 'BUSYBOX find "$@"; exit 1' });
  t.like(
    t.throws(() => list(folder, troubled)),
    { status: 1 },
    'as find itself says that it could not look at something',
  );
});
