/** What the options of `p2c run` may say. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { setprivOptions } from '../../src/runtime/capabilities.ts';
import { isHostname } from '../../src/runtime/create.ts';
import { checkName } from '../../src/runtime/names.ts';
import { parseSize } from '../../src/runtime/size.ts';
import { parseTmpfs } from '../../src/runtime/tmpfs.ts';
import { DEFAULT_ULIMITS, mergeUlimits, parseUlimit } from '../../src/runtime/ulimit.ts';
import { parseMountOption, parseVolumeOption } from '../../src/runtime/volumes/wish.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

for (const [text, bytes] of [
  ['1g', 1024 ** 3],
  ['64M', 64 * 1024 ** 2],
  ['512', 512],
  ['1b', 1],
  ['8kb', 8192],
  ['2GiB', 2 * 1024 ** 3],
] as const) {
  test(`size ${text} is ${bytes} bytes`, (t) => t.is(parseSize('--shm-size', text), bytes));
}

for (const text of ['', '0', '-1', '1.5g', '1x', 'g', '1 g', '99999999999999t', '1g,exec', '0x10']) {
  test(`size '${text}' is refused`, (t) => {
    const error = t.throws(() => parseSize('--shm-size', text), { instanceOf: P2cError });
    t.is(error?.exitCode, 2);
    t.true(error?.message.includes('--shm-size'));
  });
}

test('ulimits are read as podman reads them', (t) => {
  t.deepEqual(parseUlimit('memlock=-1'), { name: 'memlock', soft: 'unlimited', hard: 'unlimited' });
  t.deepEqual(parseUlimit('nofile=1024:4096'), { name: 'nofile', soft: 1024, hard: 4096 });
  t.deepEqual(parseUlimit('nproc=100:-1'), { name: 'nproc', soft: 100, hard: 'unlimited' });
  t.deepEqual(parseUlimit('core=0'), { name: 'core', soft: 0, hard: 0 });
});

for (const text of [
  '',
  'memlock',
  'memlock=',
  'files=1',
  'nofile=2:1',
  'nofile=-1:5',
  'nofile=-2',
  'nofile=1:2:3',
  'NOFILE=1',
]) {
  test(`ulimit '${text}' is refused`, (t) => {
    t.is(t.throws(() => parseUlimit(text), { instanceOf: P2cError })?.exitCode, 2);
  });
}

test('a given limit replaces the default of its name, and no other', (t) => {
  const merged = mergeUlimits(DEFAULT_ULIMITS, [parseUlimit('memlock=-1'), parseUlimit('nofile=2048')]);
  t.deepEqual(
    merged.map(({ name, soft, hard }) => [name, soft, hard]),
    [
      ['nofile', 2048, 2048],
      ['memlock', 'unlimited', 'unlimited'],
    ],
  );
  t.deepEqual(mergeUlimits(DEFAULT_ULIMITS, []), [{ name: 'nofile', soft: 1024, hard: 4096 }]);
});

test('a volume names a source that exists, and a place that is free', async (t) => {
  const folder = await temporaryFolder(t);
  mkdirSync(join(folder, 'data'));
  t.deepEqual(parseVolumeOption(`${folder}/data/../data:/srv//x/:ro`), {
    bind: { source: join(folder, 'data'), destination: '/srv/x', readOnly: true, sourceIsDirectory: true },
  });
  t.like(parseVolumeOption(`${folder}:/x`), { bind: { readOnly: false } });
  t.deepEqual(parseVolumeOption('data:/x:ro'), {
    volume: { name: 'data', destination: '/x', readOnly: true, seeded: true },
  });
  t.deepEqual(parseVolumeOption('/x'), {
    volume: { name: undefined, destination: '/x', readOnly: false, seeded: true },
  });
  for (const text of [
    `${folder}/missing:/x`,
    `${folder}:x`,
    'data/sub:/x',
    '.data:/x',
    'data:x',
    'x',
    ':/x',
    `${folder}:/`,
    `${folder}:/..`,
    `${folder}:/x/../proc`,
    `${folder}:/proc/sys`,
    `${folder}:/dev`,
    `${folder}:/x:exec`,
    `${folder}:/x:ro:rw`,
  ]) {
    t.is(t.throws(() => parseVolumeOption(text), { instanceOf: P2cError }, text)?.exitCode, 2, text);
  }
});

test('what lies in memory takes podman’s words', (t) => {
  const options = (text: string): readonly string[] => parseTmpfs(`/x:${text}`).options;
  t.deepEqual(parseTmpfs('/x/').options, ['nosuid', 'nodev', 'tmpcopyup']);
  t.deepEqual(options('rw,size=64m,mode=755,rprivate,tmpcopyup'), [
    ...['nosuid', 'nodev', 'rw', 'size=64m', 'mode=755', 'tmpcopyup'],
  ]);
  t.deepEqual(options('suid,exec,notmpcopyup'), ['nodev', 'suid', 'exec']);
  for (const text of ['shared', 'mode=x', 'size=1m,,ro', 'upperdir=/']) {
    t.is(t.throws(() => options(text), { instanceOf: P2cError }, text)?.exitCode, 2, text);
  }
  const mounted = (text: string): unknown => parseMountOption(`type=tmpfs,dst=/x${text}`);
  const tmpfs = { destination: '/x', options: ['nosuid', 'nodev', 'rw'] };
  for (const text of ['', ',tmpcopyup', ',notmpcopyup=false']) {
    t.deepEqual(mounted(text), { tmpfs: { ...tmpfs, options: [...tmpfs.options, 'tmpcopyup'] } }, text);
  }
  for (const text of [',notmpcopyup', ',tmpcopyup=false']) t.deepEqual(mounted(text), { tmpfs }, text);
});

test('names of containers are those podman takes', (t) => {
  for (const name of ['was60', 'a', 'A.b-c_1']) t.notThrows(() => checkName(name), name);
  for (const name of ['', '-a', '.a', 'a/b', '../a', 'a b', 'a\nb', 'ü', 'a'.repeat(129), 'f'.repeat(64)]) {
    t.is(t.throws(() => checkName(name), { instanceOf: P2cError }, name)?.exitCode, 2, name);
  }
});

test('host names are those that the kernel takes and old servers have', (t) => {
  for (const name of ['was60', 'a', 'web_01', '_dmz', 'db_', 'web_01.old_net.example', 'a'.repeat(64)]) {
    t.true(isHostname(name), name);
  }
  for (const name of ['', '-a', 'a-', '.a', 'a.', 'a b', 'a/b', 'a\nb', '$(reboot)', 'ü', 'a'.repeat(65)]) {
    t.false(isHostname(name), name);
  }
});

test('setpriv is told what stays, and that nothing is inheritable', (t) => {
  t.deepEqual(setprivOptions(['CAP_CHOWN', 'CAP_SYS_CHROOT']), [
    '--inh-caps=-all',
    '--bounding-set=-all,+chown,+sys_chroot',
  ]);
});
