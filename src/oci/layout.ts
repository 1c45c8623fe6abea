/** The layout itself (OCI image-spec, image-layout.md): its marker, its index, its blobs. */

import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { messageOf, P2cError, systemCode } from '../errors.ts';
import { ONCE } from '../once.ts';
import { BlobWriter, type FinishedBlob } from './blob-writer.ts';
import { type Digest, digestOfHex, hexOf } from './digest.ts';
import { makeFolder, namesIn, replaceFile, storeError, syncFolder, temporaryName } from './files.ts';
import { Holds } from './holds.ts';
import { type Lock, lock } from './lock.ts';
import { type Index, indexSchema, layoutSchema } from './spec.ts';
import { isAlive, Uses } from './uses.ts';

const LAYOUT = `${JSON.stringify({ imageLayoutVersion: '1.0.0' })}\n`;
const EMPTY_INDEX: Index = { schemaVersion: 2, manifests: [] };
/** Manifests, configs and the index are small; a blob that claims to be one and is not is not read into memory. */
const LARGEST_DOCUMENT = 16 * 1024 * 1024;

export class Layout {
  readonly root: string;
  readonly temporary: string;
  readonly uses: Uses;
  readonly holds: Holds;
  readonly #blobs: string;
  /** The last that was taken. */
  #lock: Lock | undefined;
  readonly #publishing = new Map<FinishedBlob, Promise<void>>();

  private constructor(root: string) {
    this.root = root;
    this.temporary = join(root, 'tmp');
    this.#blobs = join(root, 'blobs/sha256');
    this.uses = new Uses(this.temporary);
    this.holds = new Holds(join(root, 'held'));
  }

  /** @throws P2cError `store.missing` where there is none and `create` is false, `store.denied`, `store.invalid`. */
  static async open(root: string, create: boolean): Promise<Layout> {
    const layout = new Layout(root);
    if (create) await layout.#create();
    const marker = join(root, 'oci-layout');
    if (!(await exists(marker))) {
      throw new P2cError(`there is no store at ${root}`, {
        code: 'store.missing',
        hint: "'p2c migrate' makes one; P2C_ROOT names another place",
      });
    }
    await readJson(marker, layoutSchema, "layout's marker");
    return layout;
  }

  blobPath(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }

  async lock(): Promise<Lock> {
    const held = await lock(join(this.root, 'index.lock'));
    this.#lock = held;
    return held;
  }

  /** Beside what this process notes of its own blobs; with the lock held. */
  async speakFor(digests: readonly Digest[]): Promise<AsyncDisposable> {
    const uses = new Uses(this.temporary);
    await uses.note(...digests);
    return { [Symbol.asyncDispose]: () => uses.release() };
  }

  async createBlob(): Promise<BlobWriter> {
    const publish = (blob: FinishedBlob): void => {
      const published = this.#publish(blob);
      // Whoever needs the blob awaits `published`; until then a failure is nobody's.
      published.catch(() => {});
      this.#publishing.set(blob, published);
    };
    await this.#makeFolders();
    return BlobWriter.create(join(this.temporary, temporaryName('blob')), publish);
  }

  /**
   * Waits until every blob that was committed, or those of one digest, are on the disk.
   * @throws P2cError `store.full`, `store.failed`.
   */
  async published(digest?: Digest): Promise<void> {
    const awaited = [...this.#publishing].filter(([blob]) => digest === undefined || blob.digest === digest);
    await Promise.all(awaited.map(([, published]) => published));
  }

  /** Waits until nothing more becomes visible, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#publishing.values());
  }

  async #publish({ file, handle, digest }: FinishedBlob): Promise<void> {
    try {
      await handle.sync().finally(() => handle.close());
      // Under the lock, so that nobody collects an old blob of this digest between the note and the rename.
      await using _ = await this.lock();
      await this.uses.note(digest);
      await rename(file, this.blobPath(digest));
      await syncFolder(this.#blobs);
    } catch (error) {
      await rm(file, { force: true });
      throw storeError(error, file);
    }
  }

  /** Reads a JSON blob and checks its form. @param hint what to do about a damaged one. @throws P2cError `store.invalid`. */
  async readDocument<Schema extends z.ZodType>(
    digest: Digest,
    schema: Schema,
    what: string,
    hint?: string,
  ): Promise<z.output<Schema>> {
    return readJson(this.blobPath(digest), schema, what, hint);
  }

  async readIndex(): Promise<Index> {
    return readJson(join(this.root, 'index.json'), indexSchema, 'index');
  }

  /** To be called with the lock held. @throws P2cError `store.lock` where it was lost. */
  async writeIndex(index: Index): Promise<void> {
    await this.#makeFolders();
    this.#lock?.requireHeld();
    await replaceFile(join(this.root, 'index.json'), JSON.stringify(index), this.temporary);
  }

  async blobs(): Promise<Digest[]> {
    const names = await namesIn(this.#blobs);
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map(digestOfHex);
  }

  /** @returns undefined where the blob is not there. */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    const path = this.blobPath(digest);
    return (await exists(path)) ? (await stat(path)).size : undefined;
  }

  /** With the lock held: what is there then stays. @throws P2cError `store.incomplete`. */
  async requireBlobs(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      if (await exists(this.blobPath(digest))) continue;
      throw new P2cError(`a part of the image is not in the store: ${digest}`, { code: 'store.incomplete' });
    }
  }

  /** To be called with the lock held. @returns the bytes freed. @throws P2cError `store.lock` where it was lost. */
  async removeBlob(digest: Digest): Promise<number> {
    this.#lock?.requireHeld();
    const { size } = await stat(this.blobPath(digest));
    await rm(this.blobPath(digest), { force: true });
    return size;
  }

  /** Temporaries of processes that are gone: `KIND-PID-RANDOM`. */
  async removeStaleTemporaries(): Promise<void> {
    for (const name of await namesIn(this.temporary)) {
      const pid = Number(/^[a-z]+-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(pid) || isAlive(pid)) continue;
      await rm(join(this.temporary, name), { recursive: true, force: true });
    }
  }

  /** Where another tool made the layout, some are not there until p2c writes. @throws P2cError `store.denied`. */
  async #makeFolders(): Promise<void> {
    try {
      await makeFolder(this.#blobs);
      await makeFolder(this.temporary, 0o700);
    } catch (error) {
      throw placeError(error, this.root);
    }
  }

  async #create(): Promise<void> {
    try {
      await this.#makeFolders();
      if (await exists(join(this.root, 'oci-layout'))) return;
      await using _ = await this.lock();
      if (!(await exists(join(this.root, 'index.json')))) await this.writeIndex(EMPTY_INDEX);
      await replaceFile(join(this.root, 'oci-layout'), LAYOUT, this.temporary);
    } catch (error) {
      throw placeError(error, this.root);
    }
  }
}

/** What mkdir says of a place where no store can be. Of a read-only filesystem, Node's recursive one says ENOENT. */
function placeError(error: unknown, root: string): unknown {
  const code = systemCode(error);
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new P2cError(`${root}, or a part of that path, is no folder`, {
      code: 'store.place',
      hint: 'set P2C_ROOT to a folder, or to a path where one can be made',
      cause: error,
    });
  }
  if (code !== 'ENOENT') return storeError(error, root);
  return new P2cError(`no folder can be made at ${root}`, {
    code: 'store.denied',
    hint: 'is its filesystem read-only, or a link in its path dangling? P2C_ROOT names another place',
    cause: error,
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false;
      throw storeError(error, path);
    },
  );
}

async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
  hint = "'p2c image validate --all' lists what is wrong; 'p2c image rm' takes a damaged image away",
): Promise<z.output<Schema>> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_DOCUMENT) throw new Error(`it has ${size} bytes`);
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')), ONCE);
    if (parsed.success) return parsed.data;
    throw new Error(z.prettifyError(parsed.error));
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw storeError(error, path);
    throw new P2cError(`the ${what} ${path} is damaged or missing: ${messageOf(error)}`, {
      code: 'store.invalid',
      hint,
      cause: error,
    });
  }
}
