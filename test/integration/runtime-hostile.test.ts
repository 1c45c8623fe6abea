/** Hostile images: unpacked, run and entered by each engine, they reach nothing outside of themselves. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { onEachEngine } from '../helpers/engines.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { type MakeRunner, type Runner, remains } from '../helpers/runner.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const FOLDERS = ['etc', 'proc', 'dev', 'sys', 'data', 'tmp', 'run', 'cwd'];
const NOTHING = { files: ['names'], mounts: [], processes: [] };

interface Outside {
  readonly folder: string;
  /** Fails the test where anything in the folder was changed. */
  assertUntouched(t: ExecutionContext): void;
}

/** A folder of this machine, with a file that says so in each folder that an image may point at. */
async function makeOutside(t: ExecutionContext): Promise<Outside> {
  const folder = await temporaryFolder(t);
  for (const name of FOLDERS) {
    mkdirSync(join(folder, name), { mode: 0o700 });
    writeFileSync(join(folder, name, 'canary'), 'untouched', { mode: 0o600 });
  }
  return {
    folder,
    assertUntouched(t) {
      for (const name of FOLDERS) {
        const path = join(folder, name);
        t.deepEqual(readdirSync(path), ['canary'], name);
        t.is(readFileSync(join(path, 'canary'), 'utf8'), 'untouched');
        t.is(statSync(path).mode & 0o7777, 0o700, name);
        t.is(statSync(join(path, 'canary')).mode & 0o7777, 0o600, name);
      }
    },
  };
}

const up = '../'.repeat(40);
const link = (name: string, target: string): RawEntry => ({ name, type: '2', link: target });

/** Layers above busybox; a name that stands in the way is replaced by a link, as a layer may do. */
const IMAGES: Readonly<Record<string, (outside: string) => RawEntry[][]>> = {
  'kernel filesystems are absolute links out': (outside) => [
    ['proc', 'dev', 'sys', 'run', 'data', 'cwd'].map((name) => link(`./${name}`, join(outside, name))),
  ],
  'kernel filesystems are links that climb out': (outside) => [
    ['proc', 'dev', 'sys', 'run', 'data', 'cwd'].map((name) => link(`./${name}`, `${up}${outside.slice(1)}/${name}`)),
  ],
  'kernel filesystems are files': () => [['proc', 'dev', 'sys'].map((name) => ({ name: `./${name}`, content: 'x' }))],
  'kernel filesystems lead to each other': () => [
    [link('./proc', 'sys'), link('./sys', '/dev'), link('./dev', '/proc'), link('./data', '/proc/self/root')],
  ],
  'a layer replaces /etc and its files by links out': (outside) => [
    [{ name: './etc/.wh.hosts' }, link('./etc/hosts', `${outside}/etc/hosts`)],
    [link('./etc/resolv.conf', `${up}${outside.slice(1)}/etc/canary`), link('./etc/hostname', '/proc/1/root/etc/x')],
  ],
  'a layer overwrites a parent of volumes by a link': (outside) => [
    [
      { name: './data/', type: '5' },
      { name: './data/in', content: 'x' },
    ],
    [{ name: './.wh.data' }],
    [link('./data', outside)],
    [link('./cwd', `${outside}/cwd`)],
  ],
  'whiteouts of mount points': () => [
    ['proc', 'dev', 'sys', 'etc', 'tmp'].map((name) => ({ name: `./${name}/`, type: '5' })),
    ['proc', 'dev', 'sys', 'etc', 'tmp'].map((name) => ({ name: `./.wh.${name}` })),
  ],
  'device nodes and links to them': () => [
    [
      { name: './disk', type: '4', device: [statSync('/').dev >> 8, statSync('/').dev & 0xff] },
      { name: './mem', type: '3', device: [1, 1] },
      { name: './hard', type: '1', link: './disk' },
      link('./data', '/disk'),
    ],
  ],
};

const SCRIPT = `
  test -d /proc/1 && test -c /dev/null && test -d /sys/kernel || echo incomplete
  for node in /disk /mem /hard; do head -c 1 $node 2>/dev/null | grep -q . && echo "read $node"; done
  echo x >/dev/planted; echo x >/run/planted; echo x >/cwd/planted; echo x >/data/planted; echo x >/etc/planted
  cat /data/canary /etc/canary /proc/canary /cwd/canary 2>/dev/null
  chmod 777 /cwd /data /etc /run 2>/dev/null
  echo ran
`;

async function attack(t: ExecutionContext, runner: MakeRunner, entries: (outside: string) => RawEntry[][]) {
  const outside = await makeOutside(t);
  const p2c = await runner(
    t,
    {},
    {},
    entries(outside.folder).map((layer) => rawTar([{ name: './', type: '5' }, ...layer])),
  );
  writeFileSync(join(p2c.outside, 'file'), 'a volume');
  // An image may be so made that it cannot be run at all: then it is refused, in words.
  const variants: Readonly<Record<string, readonly string[]>> = {
    plain: [],
    volume: ['-v', `${p2c.outside}:/data/deep`],
    'working folder': ['-w', '/cwd/new'],
    'read only': ['--read-only', '--tmpfs', '/data/memory'],
  };
  for (const [what, options] of Object.entries(variants)) {
    const { code, stdout, stderr } = await p2c.call('run', '--rm', ...options, 'test:latest', 'sh', '-c', SCRIPT);
    if (code === 0) t.is(stdout, 'ran\n', what);
    else t.regex(stderr, /^p2c: .*\n/m, what);
    if (what === 'plain') t.is(code, 0, stderr);
    outside.assertUntouched(t);
  }
  await entered(t, p2c);
  outside.assertUntouched(t);
  t.deepEqual(readdirSync(p2c.outside), ['file']);
  t.deepEqual(remains(p2c), NOTHING);
}

/** A command in a running container, after that made its own root still worse. */
async function entered(t: ExecutionContext, p2c: Runner): Promise<void> {
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const { code, stdout } = await p2c.call('exec', '-w', '/cwd', 'c', 'sh', '-c', SCRIPT);
  if (code === 0) t.is(stdout, 'ran\n');
  t.is(await p2c.ok('exec', 'c', 'echo', 'ran'), 'ran');
  await p2c.ok('rm', '-f', 'c');
}

for (const [what, entries] of Object.entries(IMAGES)) {
  onEachEngine(what, (t, runner) => attack(t, runner, entries));
}

onEachEngine('a container that swaps its own folders for links is started again as harmless', async (t, runner) => {
  const outside = await makeOutside(t);
  const p2c = await runner(t, { 'data/x': 'x', 'cwd/x': 'x', 'run/x': 'x' });
  const swap = ['data', 'cwd', 'run', 'root'].map(
    (name) => `rm -rf /${name}; ln -s ${outside.folder}/${name} /${name}`,
  );
  const script = `if test -e /again; then ${SCRIPT} else ${swap.join('; ')}; >/again; echo swapped; fi`;
  const options = ['-w', '/cwd/deep', '-v', `${p2c.outside}:/data/deep`, '--tmpfs', '/run/memory'];
  await p2c.ok('run', '--name', 'c', ...options, 'test:latest', 'sh', '-c', script);
  await p2c.call('start', '-a', 'c');
  outside.assertUntouched(t);
  await p2c.ok('rm', '-f', 'c');
  t.deepEqual(remains(p2c), NOTHING);
});
