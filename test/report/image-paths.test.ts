import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Difference, differences } from '../../src/report/image-difference.ts';
import { ImagePaths } from '../../src/report/image-paths.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function image(t: ExecutionContext, ...layers: RawEntry[][]): Promise<ImagePaths> {
  const folder = await temporaryFolder(t);
  const files = layers.map((entries, number) => {
    const file = join(folder, String(number));
    writeFileSync(file, rawTar(entries));
    return file;
  });
  const paths = await ImagePaths.open(files, (fault) => t.fail(fault));
  t.teardown(() => paths[Symbol.asyncDispose]());
  return paths;
}

async function pathsOf(image: ImagePaths): Promise<string[]> {
  const seen: string[] = [];
  for (; image.next !== undefined; await image.advance()) seen.push(`${image.next.path} ${image.next.layer}`);
  return seen;
}

const ROOT: RawEntry = { name: './', type: '5' };

test('of each path the topmost entry; whiteouts hide what lies below them, and that with its content', async (t) => {
  const lower = [
    ROOT,
    { name: './a/', type: '5' },
    { name: './a/x' },
    { name: './a/y' },
    { name: './a-b' },
    { name: './d/', type: '5' },
    { name: './d/deep/', type: '5' },
    { name: './d/deep/file' },
  ];
  const upper = [ROOT, { name: './a/', type: '5' }, { name: './a/y' }, { name: './a/.wh.x' }, { name: './.wh.d' }];
  t.deepEqual(await pathsOf(await image(t, lower, upper)), ['/ 1', '/a 1', '/a/y 1', '/a-b 0']);
});

test('an opaque whiteout hides what lower layers have in its folder, and not the folder; wherever it stands', async (t) => {
  const lower = [
    ROOT,
    { name: './a/', type: '5' },
    { name: './a/deep/', type: '5' },
    { name: './a/deep/x' },
    { name: './a/y' },
    { name: './a-b' },
    { name: './b' },
  ];
  const upper = [ROOT, { name: './a/', type: '5' }, { name: './a/new' }, { name: './a/.wh..wh..opq' }];
  t.deepEqual(await pathsOf(await image(t, lower, upper)), ['/ 1', '/a 1', '/a/new 1', '/a-b 0', '/b 0']);
  const hidesFolder = [ROOT, { name: './.wh..wh..opq' }, { name: './c' }];
  t.deepEqual(await pathsOf(await image(t, lower, upper, hidesFolder)), ['/ 2', '/c 2']);
  t.deepEqual(await pathsOf(await image(t, lower, [{ name: './.wh..wh..opq' }])), ['/ 0']);
});

test('what takes the place of a directory hides its content, and a later directory starts anew', async (t) => {
  const lower = [ROOT, { name: './d/', type: '5' }, { name: './d/x' }, { name: './d-e' }];
  const middle = [ROOT, { name: './d', type: '2', link: 'd-e' }];
  t.deepEqual(await pathsOf(await image(t, lower, middle)), ['/ 1', '/d 1', '/d-e 0']);
  const upper = [ROOT, { name: './d/', type: '5' }, { name: './d/new' }];
  const seen = ['/ 2', '/d 2', '/d/new 2', '/d-e 0'];
  t.deepEqual(await pathsOf(await image(t, lower, middle, upper)), seen, 'also in one that comes again');
  t.deepEqual(await pathsOf(await image(t, lower, middle, upper, [ROOT])), ['/ 3', ...seen.slice(1)]);
});

test('below a directory that came again, what a file in its own place hides is hidden, and nothing else', async (t) => {
  const folders = [ROOT, { name: './d/', type: '5' }, { name: './d/e/', type: '5' }];
  const lower = [...folders, { name: './d/e/old' }, { name: './d/x' }];
  const files = [ROOT, { name: './d/', type: '5' }, { name: './d/e' }, { name: './d/y' }];
  const upper = [...folders, { name: './d/e/new' }];
  t.deepEqual(await pathsOf(await image(t, lower, files, upper)), [
    '/ 2',
    '/d 2',
    '/d/e 2',
    '/d/e/new 2',
    '/d/x 0',
    '/d/y 1',
  ]);
});

async function between(first: ImagePaths, second: ImagePaths): Promise<Difference[]> {
  const found: Difference[] = [];
  for await (const difference of differences(first, second)) found.push(difference);
  return found;
}

test('differences of every kind, and none where there is none', async (t) => {
  const first: RawEntry[] = [
    ROOT,
    { name: './changed', content: 'old', mode: 0o644 },
    { name: './gone' },
    { name: './link', type: '2', link: 'changed' },
    { name: './same', content: 'x', pax: { 'SCHILY.xattr.user.a': '1', mtime: '1.5' } },
  ];
  const second: RawEntry[] = [
    ROOT,
    { name: './changed', content: 'news', mode: 0o755 },
    { name: './link', type: '2', link: 'same' },
    { name: './new' },
    { name: './same', content: 'x', pax: { 'SCHILY.xattr.user.a': '2', mtime: '1.25' } },
  ];
  t.deepEqual(await between(await image(t, first), await image(t, first)), []);
  t.deepEqual(
    (await between(await image(t, first), await image(t, second))).map(({ path, kind, what }) => [path, kind, ...what]),
    [
      ['/changed', 'differs', 'mode 644 → 755', 'content (3 → 4 bytes)'],
      ['/gone', 'only in the first'],
      ['/link', 'differs', 'target changed → same'],
      ['/new', 'only in the second'],
      ['/same', 'differs', 'mtime 1.5 → 1.25', 'user.a'],
    ],
  );
  t.is((await between(await image(t, []), await image(t, first))).length, 5);
});
