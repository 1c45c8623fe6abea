/** Paths of an image never lead out of it. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { type LayerRoot, resolveInRoot } from '../../src/runtime/root-path.ts';
import { resolveUser } from '../../src/runtime/user.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

type Tree = Readonly<Record<string, string | { readonly link: string } | null>>;

/** A layer: a text is a file, `link` a symbolic link, null a directory. */
async function layer(t: ExecutionContext, tree: Tree, opaque: readonly string[] = []): Promise<LayerRoot> {
  const folder = await temporaryFolder(t);
  for (const [path, what] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (what === null) mkdirSync(join(folder, path), { recursive: true });
    else if (typeof what === 'string') writeFileSync(join(folder, path), what);
    else symlinkSync(what.link, join(folder, path));
  }
  return { folder, opaque: new Set(opaque) };
}

test('links are read against the image’s root', async (t) => {
  const image = await layer(t, {
    'etc/passwd': '',
    real: null,
    absolute: { link: '/etc' },
    up: { link: '../../../../etc' },
    'deep/down/relative': { link: '../../absolute' },
    dangling: { link: '/nowhere/at/all' },
  });
  const at = (path: string) => resolveInRoot([image], path);
  t.is(at('/absolute/passwd').path, '/etc/passwd');
  t.is(at('/up/passwd').path, '/etc/passwd');
  t.is(at('/deep/down/relative/passwd').hostPath, join(image.folder, 'etc/passwd'));
  t.is(at('/../../etc/./passwd/').path, '/etc/passwd');
  t.deepEqual(at('/dangling/x'), { path: '/nowhere/at/all/x', kind: 'missing', hostPath: undefined });
  t.deepEqual(at('/'), { path: '/', kind: 'directory', hostPath: image.folder });
  t.is(at('/real/new').kind, 'missing');
});

test('what has no answer is refused', async (t) => {
  const image = await layer(t, { one: { link: 'two' }, two: { link: 'one' }, file: '', b: { link: '/x/../y' } });
  for (const path of ['/one', '/file/below', '/nothing/../up', '/b']) {
    t.is(t.throws(() => resolveInRoot([image], path), { instanceOf: P2cError })?.code, 'runtime.path', path);
  }
});

test('upper layers hide what lies below', async (t) => {
  const lower = await layer(t, { 'a/x': 'low', 'b/x': 'low', 'c/x': 'low', d: { link: '/etc' }, 'etc/y': 'low' });
  const upper = await layer(t, { 'a/new': 'up', 'b/new': 'up', c: 'a file now', 'd/z': 'a folder now' }, ['/b']);
  const at = (path: string) => resolveInRoot([upper, lower], path);
  t.is(at('/a/x').hostPath, join(lower.folder, 'a/x'));
  t.is(at('/a/new').hostPath, join(upper.folder, 'a/new'));
  t.is(at('/b/x').kind, 'missing');
  t.is(at('/c').kind, 'file');
  t.throws(() => at('/c/x'), { instanceOf: P2cError });
  t.is(at('/d/z').path, '/d/z');
  t.is(at('/d/y').kind, 'missing');
});

test('users are those of the image', async (t) => {
  const image = await layer(t, {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nbad line\nwas:x:501:502::/home/was:/bin/sh\n',
    'etc/group': 'root:x:0:\nmq:x:600:root,was\nstaff:x:50:was\n',
  });
  const user = (text: string) => resolveUser([image], text);
  t.deepEqual(user(''), { uid: 0, gid: 0, additionalGids: [600], home: '/root' });
  t.deepEqual(user('was'), { uid: 501, gid: 502, additionalGids: [600, 50], home: '/home/was' });
  t.deepEqual(user('501'), { uid: 501, gid: 502, additionalGids: [600, 50], home: '/home/was' });
  t.deepEqual(user('was:mq'), { uid: 501, gid: 600, additionalGids: [], home: '/home/was' });
  t.deepEqual(user('7:8'), { uid: 7, gid: 8, additionalGids: [], home: '/' });
  for (const text of ['nobody', 'was:nogroup', 'a:b:c', 'was:', '-1', '4294967295']) {
    t.is(t.throws(() => user(text), { instanceOf: P2cError })?.code, 'runtime.user', text);
  }
});

test('a passwd that leads elsewhere is the image’s own or none', async (t) => {
  const image = await layer(t, { 'etc/passwd': { link: '/proc/self/environ' }, 'etc/group': { link: '/etc' } });
  t.deepEqual(resolveUser([image], ''), { uid: 0, gid: 0, additionalGids: [], home: '/' });
});
