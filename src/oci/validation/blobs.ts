/** Reads blobs for the oracle: whether what lies under a digest has that digest, and the size its descriptor states. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import { toDotPath } from 'zod/v4/core';
import { messageOf, systemCode } from '../../errors.ts';
import type { DescriptorDocument } from './documents.ts';
import { Faults } from './fault.ts';

/** Larger documents are not read into memory; registries refuse manifests above 4 MiB. */
const LARGEST_DOCUMENT = 16 * 1024 * 1024;

export function blobFile(root: string, digest: string): string {
  return join(root, 'blobs', digest.replace(':', '/'));
}

/** For faults: `manifest 57ef87ecdaca`. */
export function placeOf(what: string, digest: string): string {
  return `${what} ${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
}

/** @returns the document where its form is right; undefined, and a fault for each breach, where it is not. */
export async function readDocument<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  where: string,
  faults: Faults,
): Promise<z.output<Schema> | undefined> {
  const text = await readText(file, where, faults);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    faults.add('document.json', where, `it is not JSON: ${messageOf(error)}`);
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    faults.add('document.form', where, `${toDotPath(issue.path) || 'the document'}: ${issue.message}`);
  }
  return undefined;
}

/**
 * The document that a descriptor names, its digest and size checked.
 * @param links what of it leads on: where its form is wrong elsewhere, what lies behind it is judged all the same.
 */
export async function readDescribed<Schema extends z.ZodType, Links extends z.ZodType>(
  root: string,
  descriptor: DescriptorDocument,
  [schema, links]: readonly [schema: Schema, links: Links],
  what: string,
  faults: Faults,
): Promise<z.output<Schema> | z.output<Links> | undefined> {
  const where = placeOf(what, descriptor.digest);
  if (!(await checkBlob(root, descriptor, where, faults))) return undefined;
  return readWithLinks(blobFile(root, descriptor.digest), [schema, links], where, faults);
}

/** As {@link readDocument}; of a document that is not of its form, at least what leads on. */
export async function readWithLinks<Schema extends z.ZodType, Links extends z.ZodType>(
  file: string,
  [schema, links]: readonly [schema: Schema, links: Links],
  where: string,
  faults: Faults,
): Promise<z.output<Schema> | z.output<Links> | undefined> {
  return (await readDocument(file, schema, where, faults)) ?? (await readDocument(file, links, where, new Faults()));
}

/** @returns whether the blob is there and can be read; faults where it has another digest or size. */
export async function checkBlob(
  root: string,
  descriptor: DescriptorDocument,
  where: string,
  faults: Faults,
): Promise<boolean> {
  const reading = new BlobReading(root, descriptor, where, faults);
  for await (const _ of reading.chunks());
  return reading.digest !== undefined;
}

/** One pass over a blob. */
export class BlobReading {
  readonly #file: string;
  readonly #descriptor: DescriptorDocument;
  readonly #where: string;
  readonly #faults: Faults;
  #digest: string | undefined;

  constructor(root: string, descriptor: DescriptorDocument, where: string, faults: Faults) {
    this.#file = blobFile(root, descriptor.digest);
    this.#descriptor = descriptor;
    this.#where = where;
    this.#faults = faults;
  }

  /** What its bytes really have; undefined until all were read, and where they cannot be. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** All bytes; faults of the blob are added when the last was read. */
  async *chunks(): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of createReadStream(this.#file, { highWaterMark: 1024 * 1024 })) {
        if (!Buffer.isBuffer(chunk)) continue;
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    } catch (error) {
      const missing = systemCode(error) === 'ENOENT';
      this.#add(missing ? 'blob.missing' : 'blob.unreadable', missing ? 'the blob is missing' : messageOf(error));
      return;
    }
    this.#digest = `sha256:${hash.digest('hex')}`;
    const stated = this.#descriptor;
    if (size !== stated.size) this.#add('blob.size', `it has ${size} bytes, and its descriptor states ${stated.size}`);
    if (this.#digest !== stated.digest) this.#add('blob.digest', `its bytes have the digest ${this.#digest}`);
  }

  #add(code: string, message: string): void {
    this.#faults.add(code, this.#where, message);
  }
}

async function readText(file: string, where: string, faults: Faults): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_DOCUMENT) {
      faults.add('document.large', where, `it has ${size} bytes, and is not read`);
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT';
    faults.add(
      missing ? 'document.missing' : 'document.unreadable',
      where,
      missing ? 'it is missing' : messageOf(error),
    );
    return undefined;
  }
}
