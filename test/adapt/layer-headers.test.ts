import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type LayerEntry, layerHeaders } from '../../src/adapt/layer-headers.ts';
import { filtered } from '../helpers/filtered.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';

async function entries(path: string, only?: Iterable<number>): Promise<LayerEntry[]> {
  const all: LayerEntry[] = [];
  for await (const batch of layerHeaders({ path, only })) all.push(...batch);
  return all;
}

test('entries that are read where the filter says they begin are those of the whole scan', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'p2c-headers-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'layer.tar');
  const long = `./${'d'.repeat(90)}/${'f'.repeat(150)}`;
  const raw: RawEntry[] = [
    { name: './', type: '5' },
    { name: './a', content: 'x'.repeat(20_000) },
    { name: './b', type: '2', link: 'a' },
    { name: './c', content: '' },
    { name: './d', content: 'y'.repeat(511) },
    { name: './short', content: 'z'.repeat(70_000), pax: { path: long, 'SCHILY.xattr.user.x': 'y' } },
    { name: './z', content: 'last' },
  ];
  const paths = raw.map(({ name, pax }) => (pax?.['path'] ?? name).slice(1).replace(/(.)\/$/, '$1'));
  const { bytes, delivered } = filtered(rawTar(raw), paths);
  writeFileSync(file, bytes);
  const whole = await entries(file);
  t.is(whole.length, raw.length);
  t.deepEqual(
    await entries(
      file,
      delivered.map(({ offset }) => offset),
    ),
    whole,
  );
  const some = delivered.filter((_, at) => at % 2 === 1).map(({ offset }) => offset);
  t.deepEqual(
    await entries(file, some),
    whole.filter((_, at) => at % 2 === 1),
  );
});
