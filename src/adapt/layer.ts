/**
 * Writes the edits of a draft as one layer. What an edited file was, it stays: owner, mode, extended attributes; and each
 * folder that an edit lies in comes along as it is, for a layer's folders count for more than those below.
 */
import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { Layer } from '../oci/layer.ts';
import { MediaType } from '../oci/spec.ts';
import type { ImageStore } from '../oci/store.ts';
import { type ByteString, bytesOf } from '../printable.ts';
import { BLOCK, withFields } from '../tar/header.ts';
import { extendedHeader } from '../tar/made-entry.ts';
import type { PaxRecord } from '../tar/pax.ts';
import { WHITEOUT_PREFIX } from '../tar/whiteout.ts';
import type { Draft, Edit } from './draft.ts';
import type { ImageTree } from './image-tree.ts';
import type { TreeEntry } from './overlay.ts';

/** What fits the header's own fields: larger ones go beside it (POSIX pax). */
const LARGEST_ID = 0o777777;
const LATEST_TIME = 0o77777777777;
/** Two blocks of zeros end an archive. */
const END = Buffer.alloc(1024);

/** @returns undefined where nothing was edited. */
export async function writeLayer(store: ImageStore, draft: Draft): Promise<Layer | undefined> {
  const entries = entriesOf(draft);
  if (entries.length === 0) return undefined;
  await using blob = await store.createBlob();
  for (const { path, edit } of entries) await blob.write(await blocksOf(entryOf(draft.tree, path, edit)));
  await blob.write([END]);
  const { digest, size } = await blob.commit();
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
}

/** In path order, folders before what they hold. */
function entriesOf({ edits, tree }: Draft): { path: string; edit: Edit }[] {
  const all = new Map<string, Edit>();
  for (const [path, edit] of edits) {
    // What came and went within the draft was never there.
    if (edit.kind === 'removed' && tree.at(path) === undefined) continue;
    for (let above = posix.dirname(path); !all.has(above); above = posix.dirname(above)) {
      if (!edits.has(above)) all.set(above, { kind: 'directory' });
      if (above === '/') break;
    }
    all.set(path, edit);
  }
  const named = [...all].map(([path, edit]) => ({ path, edit }));
  return named.sort((a, b) => order(key(a.path), key(b.path)));
}

/** By components, as in every layer that p2c makes. */
function key(path: string): string {
  return path === '/' ? '' : path.replaceAll('/', '\0');
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface NewEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly linkname?: string;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  readonly content?: Buffer;
  readonly attributes?: readonly PaxRecord[];
}

function entryOf(tree: ImageTree, path: string, edit: Edit): NewEntry {
  const was = tree.at(path);
  if (edit.kind === 'removed') {
    const name = `.${posix.join(posix.dirname(path), WHITEOUT_PREFIX + posix.basename(path))}`;
    return { name, type: 'file', mode: 0, mtime: timeOf(undefined) };
  }
  if (edit.kind === 'symlink') {
    return { name: `.${path}`, type: 'symlink', linkname: edit.target, mode: 0o777, mtime: timeOf(undefined) };
  }
  if (edit.kind === 'directory') {
    const kept = was?.kind === 'directory' ? was : undefined;
    const name = path === '/' ? './' : `.${path}/`;
    return { name, type: 'directory', mode: 0o755, ...owned(kept), mtime: timeOf(kept) };
  }
  const kept = was?.kind === 'file' ? was : undefined;
  const content = Buffer.from(edit.text, 'latin1');
  return { name: `.${path}`, type: 'file', mode: edit.mode ?? 0o644, ...owned(kept), mtime: timeOf(kept), content };
}

/**
 * tar-stream makes the entry. Names, owners, times and attributes that it cannot hold, for it writes text as UTF-8, go into
 * an extended header before it.
 */
async function blocksOf(entry: NewEntry): Promise<Buffer[]> {
  const { content, attributes = [], uid = 0, gid = 0, name, linkname, mtime, ...header } = entry;
  const timeFits = mtime >= 0 && mtime <= LATEST_TIME;
  const records = [
    ...(isPlain(name) ? [] : [{ key: 'path', value: bytesOf(name as ByteString) }]),
    ...(linkname === undefined || isPlain(linkname)
      ? []
      : [{ key: 'linkpath', value: bytesOf(linkname as ByteString) }]),
    ...(uid > LARGEST_ID ? [{ key: 'uid', value: Buffer.from(String(uid)) }] : []),
    ...(gid > LARGEST_ID ? [{ key: 'gid', value: Buffer.from(String(gid)) }] : []),
    ...(timeFits ? [] : [{ key: 'mtime', value: Buffer.from(String(mtime)) }]),
    ...attributes,
  ];
  const tar = pack();
  const shared = {
    ...header,
    name: isPlain(name) ? name : './p2c',
    ...(linkname === undefined ? {} : { linkname: isPlain(linkname) ? linkname : 'p2c' }),
    uid: uid > LARGEST_ID ? 0 : uid,
    gid: gid > LARGEST_ID ? 0 : gid,
    // tar-stream takes a mode of 0 for none, and writes the permission bits only.
    mode: header.mode | 0o100000,
    mtime: new Date(0),
  };
  // An empty file has a content too: without one, tar-stream waits for it.
  if (shared.type === 'file') tar.entry(shared, content ?? Buffer.alloc(0));
  else tar.entry(shared);
  tar.finalize();
  const made = await buffer(tar);
  const block = withTime(made.subarray(0, BLOCK), timeFits ? mtime : 0);
  return [...extendedHeader(records), block, made.subarray(BLOCK, -END.length)];
}

/** tar-stream counts time in 32 bits, and from 2038 on writes what no reader takes for the header of an entry, or a wrong date. */
function withTime(block: Buffer, mtime: number): Buffer {
  return withFields(block, (copy) => copy.write(`${mtime.toString(8).padStart(11, '0')}\0`, 136, 'latin1'));
}

/** Short enough for the header, so that tar-stream adds no extended header of its own beside ours. */
function isPlain(name: string): boolean {
  return name.length <= 100 && /^[\x20-\x7e]*$/.test(name);
}

function owned(kept: TreeEntry | undefined): Partial<Pick<TreeEntry, 'mode' | 'uid' | 'gid' | 'attributes'>> {
  if (kept === undefined) return {};
  return { mode: kept.mode, uid: kept.uid, gid: kept.gid, attributes: kept.attributes };
}

/** One that is there keeps its time, and a new one is of 1970: the same capture gives the same layer each time. */
function timeOf(kept: TreeEntry | undefined): number {
  return kept?.mtime ?? 0;
}
