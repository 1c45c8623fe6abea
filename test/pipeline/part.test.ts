import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'ava';
import { PathListWriter } from '../../src/listing/path-list.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { capturePart } from '../../src/pipeline/stages/part.ts';
import type { ByteString } from '../../src/printable.ts';
import { ImagePaths } from '../../src/report/image-paths.ts';
import { Attributes } from '../../src/source/attributes.ts';
import type { Session } from '../../src/ssh/session.ts';
import { whiteout } from '../../src/tar/whiteout.ts';
import { situation } from '../helpers/inspection.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** Whose tar answers with these bytes. */
function sessionThatSends(bytes: Buffer): Session {
  const result = { code: 0, stdout: Buffer.alloc(0), stderr: '', durationMs: 0 };
  return {
    target: { user: 'root', host: 'lab', port: 22, name: 'root@lab' },
    privilege: 'root',
    ledger: [],
    run: () => Promise.resolve(result),
    stream: () => Promise.resolve({ stdout: Readable.from([bytes]), done: Promise.resolve(result), kill: () => {} }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test('whiteouts by the hundred thousand are made as they are written, and all are in the layer', async (t) => {
  const folder = await temporaryFolder(t);
  const pathsFile = join(folder, 'paths');
  const list = new PathListWriter(pathsFile);
  list.add({ path: '/' as ByteString, hardLinked: false });
  await list.finish();
  const whiteouts = Array.from({ length: 100_000 }, (_, number) => `/gone-${number + 100_000}` as ByteString);
  await using store = await ImageStore.open(join(folder, 'store'), { create: true });
  const create = store.createBlob.bind(store);
  let most = 0;
  store.createBlob = async () => {
    const blob = await create();
    const write = blob.write.bind(blob);
    blob.write = (pieces) => {
      most = Math.max(most, pieces.length);
      return write(pieces);
    };
    return blob;
  };
  const { layer } = await capturePart({
    session: sessionThatSends(rawTar([{ name: './', type: '5' }])),
    facts: situation().facts,
    store,
    wire: { compression: 'none', reason: '', measured: [] },
    signal: new AbortController().signal,
    sparse: 'skip',
    part: { index: 0, volume: undefined, pathsFile, entries: 1, bytes: 0, whiteouts, key: 'key' },
    beside: { attributes: new Attributes(), problems: [] },
    restless: new Set(),
    onBytes: () => {},
  });
  t.true(most <= 5000, `${most} buffers at once`);
  await store.hold('test', layer.digest);
  const file = store.blobPath(layer.digest);
  const bytes = await readFile(file);
  t.is(bytes.length, layer.size);
  for (const path of [whiteouts[0], whiteouts[1999], whiteouts[2000], whiteouts.at(-1)])
    t.true(path !== undefined && bytes.includes(whiteout(path)), path);
  t.is(bytes.length, (1 + whiteouts.length + 2) * 512);
  await using paths = await ImagePaths.open([file], (fault) => t.fail(fault));
  t.is(paths.next?.path, '/' as ByteString);
});
