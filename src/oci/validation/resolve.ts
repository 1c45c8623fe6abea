/** Finds the descriptors that a name means, for the oracle; apart from the store, whose finding may be what is wrong. */
import { join } from 'node:path';
import { blobFile, readDocument } from './blobs.ts';
import {
  type DescriptorDocument,
  indexLinks,
  MANIFEST_TYPE,
  type ManifestDocument,
  manifestLinks,
  NAME_ANNOTATION,
} from './documents.ts';
import { Faults } from './fault.ts';

/** Those of this name; else of this digest; else those whose config's digest begins so. */
export async function descriptorsOf(
  root: string,
  all: readonly DescriptorDocument[],
  name: string,
): Promise<DescriptorDocument[]> {
  for (const spelling of spellings(name)) {
    const named = all.filter((item) => item.annotations?.[NAME_ANNOTATION] === spelling);
    if (named.length > 0) return named;
  }
  const digest = name.slice(name.indexOf('@') + 1);
  const described = all.filter((item) => item.digest === digest);
  if (described.length > 0) return described;
  const id = /^(?:sha256:)?([0-9a-f]{3,64})$/.exec(name)?.[1];
  if (id === undefined) return [];
  const found: DescriptorDocument[] = [];
  for (const item of all) {
    const manifest = await glance(root, item);
    if (manifest?.config.digest.startsWith(`sha256:${id}`) === true) found.push(item);
  }
  return found;
}

/** Artifacts that refer to one of these by `subject`. */
export async function artifactsOf(
  root: string,
  all: readonly DescriptorDocument[],
  subjects: readonly DescriptorDocument[],
): Promise<DescriptorDocument[]> {
  const digests = new Set(subjects.map((item) => item.digest));
  const found: DescriptorDocument[] = [];
  for (const item of all) {
    const subject = (await glance(root, item))?.subject;
    if (subject !== undefined && digests.has(subject.digest)) found.push(item);
  }
  return found;
}

/** Readers hold no lock: what the index names no more was taken away while it was read, and is not damaged, but gone. */
export async function isGone(root: string, digest: string): Promise<boolean> {
  const index = await readDocument(join(root, 'index.json'), indexLinks, '', new Faults());
  return index?.manifests.every((item) => item.digest !== digest) ?? false;
}

function spellings(name: string): string[] {
  const bare = name.replace(/^localhost\//, '');
  const local = `localhost/${bare}`;
  return [name, `${name}:latest`, bare, `${bare}:latest`, local, `${local}:latest`];
}

/** Without a word about its faults: whoever judges it finds them. */
async function glance(root: string, { mediaType, digest }: DescriptorDocument): Promise<ManifestDocument | undefined> {
  if (mediaType !== MANIFEST_TYPE) return undefined;
  return readDocument(blobFile(root, digest), manifestLinks, '', new Faults());
}
