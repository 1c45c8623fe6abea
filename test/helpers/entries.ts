/** Entries for tests, with what a test does not care about filled in. */
import type { Entry } from '../../src/listing/entry.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';

export function entry(path: string, fields: Partial<Entry> = {}): Entry {
  return {
    path: byteStringFromText(path),
    type: 'f',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    blocks: 0,
    mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
    ctime: { seconds: 1_700_000_000, nanoseconds: 0 },
    device: 1,
    inode: 1,
    links: 1,
    target: '' as ByteString,
    ...fields,
  };
}

export function directory(path: string, fields: Partial<Entry> = {}): Entry {
  return entry(path, { type: 'd', mode: 0o755, links: 2, ...fields });
}

export async function* batches(...entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  for (const item of entries) yield [item];
}

export async function collect<Item>(stream: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const batch of stream) all.push(...batch);
  return all;
}
