import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ImageTree, type Places } from '../../src/adapt/image-tree.ts';
import type { LayerEntry } from '../../src/adapt/layer-headers.ts';
import { Overlay } from '../../src/adapt/overlay.ts';
import type { ByteString } from '../../src/printable.ts';
import { adapted, layerOf } from '../helpers/adapting.ts';
import { filtered } from '../helpers/filtered.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const OLD = 'LABEL=old / ext3 defaults 1 1\n';
const NEW = 'LABEL=new / ext4 defaults 1 1\n';

function entry(name: string, type = '0', link = ''): LayerEntry {
  const ownership = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  return { ...ownership, name: name as ByteString, type, link: link as ByteString, size: 0, offset: 0, attributes: [] };
}

function overlayOf(...layers: readonly (readonly LayerEntry[])[]): Overlay {
  const overlay = new Overlay();
  for (const [at, entries] of layers.entries()) {
    overlay.begin(at);
    for (const each of entries) overlay.add(each);
  }
  return overlay;
}

test('a hard link to a file that recipes do not look at has its content, in a delta and in the base', async (t) => {
  const base = layerOf({ 'etc/fstab': OLD });
  const linked = rawTar([
    { name: './', type: '5' },
    { name: './data/', type: '5' },
    { name: './data/fstab', content: NEW, mode: 0o600 },
    { name: './data/other', content: 'another\n' },
    { name: './etc/', type: '5' },
    { name: './etc/fstab', type: '1', link: './data/fstab' },
    { name: './etc/fstab.orig', type: '1', link: './data/fstab' },
  ]);
  for (const layers of [[linked], [base, linked]]) {
    const { after, files } = await adapted(t, layers);
    t.true(files.includes('/etc/fstab'), files.join());
    t.is(after.text('/etc/fstab'), `#p2c# ${NEW}`);
    t.is(after.tree.at('/etc/fstab')?.mode, 0o600);
    t.is(after.text('/etc/fstab.orig'), NEW);
  }
});

test('such a file is found where it is known where in the layer each path begins', async (t) => {
  const paths = ['/', '/data', '/data/fstab', '/data/other', '/etc', '/etc/fstab'];
  const layer = rawTar([
    ...['./', './data/'].map((name) => ({ name, type: '5' })),
    { name: './data/fstab', content: NEW },
    { name: './data/other', content: 'another\n' },
    { name: './etc/', type: '5' },
    { name: './etc/fstab', type: '1', link: './data/fstab' },
  ]);
  const { bytes, delivered } = filtered(layer, paths);
  const path = join(await temporaryFolder(t), 'layer.tar');
  writeFileSync(path, bytes);
  const asked: string[] = [];
  const places: Places = (wanted) => {
    const found = delivered.filter((each) => wanted(each.path));
    asked.push(...found.map((each) => each.path));
    return found.map(({ offset }) => offset);
  };
  const tree = await ImageTree.read([{ path, places }]);
  t.is(String(tree.content('/etc/fstab')), NEW);
  t.deepEqual(asked, ['/', '/data', '/etc', '/etc/fstab', '/data/fstab']);
});

test('what a hard link to a file of another layer holds is not taken from what lay there before', async (t) => {
  const base = layerOf({ 'etc/fstab': OLD, 'data/fstab': NEW });
  const linked = rawTar([
    { name: './', type: '5' },
    { name: './etc/', type: '5' },
    { name: './etc/fstab', type: '1', link: './data/fstab' },
  ]);
  const { after, files } = await adapted(t, [base, linked]);
  t.false(files.includes('/etc/fstab'), files.join());
  t.is(after.text('/etc/fstab'), undefined);
});

test('whiteouts hide what layers below have, and nothing of their own layer', (t) => {
  const below = ['./etc/', './etc/a/', './etc/a/b/'].map((name) => entry(name, '5'));
  const files = ['./etc/a/b/one', './etc/a/two', './etc/three', './etc/first'].map((name) => entry(name));
  const seen = (...entries: LayerEntry[]): string[] => {
    const overlay = overlayOf([...below, ...files], entries);
    const paths = ['/etc', '/etc/a', '/etc/a/b', '/etc/a/b/one', '/etc/a/two', '/etc/three', '/etc/a/new'];
    return paths.filter((path) => overlay.at(path) !== undefined);
  };
  t.deepEqual(seen(entry('./etc/.wh.a')), ['/etc', '/etc/three']);
  t.deepEqual(seen(entry('./etc/a/.wh..wh..opq')), ['/etc', '/etc/a', '/etc/three']);
  t.deepEqual(seen(entry('./.wh..wh..opq')), []);
  t.deepEqual(seen(entry('./etc/a/new'), entry('./etc/.wh.a')), ['/etc', '/etc/three', '/etc/a/new']);
  t.deepEqual(seen(entry('./etc/a/new', '1', './etc/first'), entry('./etc/a/.wh..wh..opq')), [
    '/etc',
    '/etc/a',
    '/etc/three',
    '/etc/a/new',
  ]);
  t.deepEqual(seen(entry('./etc/a')), ['/etc', '/etc/a', '/etc/three']);
});

test('many whiteouts over many files end: none looks at every file', (t) => {
  const many = Array.from({ length: 100_000 }, (_, at) => entry(`./etc/d${at % 100}/f${at}`));
  // Where each looked at every file, there would be ten thousand million looks, and the limit of the tests ends that.
  const whiteouts = Array.from({ length: 80_000 }, (_, at) => entry(`./srv/.wh.f${at}`));
  const opaque = Array.from({ length: 20_000 }, (_, at) => entry(`./etc/d${at % 50}/.wh..wh..opq`));
  const overlay = overlayOf(many, [...whiteouts, ...many.slice(0, 1), ...opaque]);
  t.deepEqual([...overlay.names('/etc/d0')], ['f0']);
  t.is(overlay.at('/etc/d1/f1'), undefined);
  t.not(overlay.at('/etc/d99/f99'), undefined);
});
