/** What the index reaches: the blobs that collection must leave alone. */

import { stat } from 'node:fs/promises';
import { isManifest, nameOf, readManifest } from './descriptors.ts';
import type { Digest } from './digest.ts';
import type { Layout } from './layout.ts';
import { type Descriptor, indexSchema, MediaType } from './spec.ts';

/**
 * Every digest reached from these descriptors: through manifests and nested indexes to configs and layers. A blob of
 * another kind reaches nothing that we know of.
 * @throws P2cError `store.invalid` for a document that cannot be read: what it reaches is unknown then.
 */
export async function reachable(layout: Layout, descriptors: readonly Descriptor[]): Promise<Set<Digest>> {
  const reached = new Set<Digest>();
  const waiting = [...descriptors];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next.digest)) continue;
    reached.add(next.digest);
    if (isManifest(next)) {
      for (const digest of await reachedBy(layout, next)) reached.add(digest);
    } else if (next.mediaType === MediaType.index) {
      waiting.push(...(await layout.readDocument(next.digest, indexSchema, 'index')).manifests);
    }
  }
  return reached;
}

interface Reached {
  /** Of the manifest's file as it was read. */
  readonly version: string;
  readonly digests: readonly Digest[];
}

/** More than a store's manifests are kept by nobody. */
const MOST_KEPT = 20_000;
const kept = new Map<string, Reached>();

/**
 * A batch asks this of every image of the store, with the lock held, each time one of its hosts is done: a file that is
 * as it was when it was read is not read again.
 */
async function reachedBy(layout: Layout, descriptor: Descriptor): Promise<readonly Digest[]> {
  const path = layout.blobPath(descriptor.digest);
  const version = await stat(path).then(
    ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(' '),
    () => undefined,
  );
  const known = kept.get(path);
  if (known !== undefined && known.version === version) return known.digests;
  const { config, layers } = await readManifest(layout, descriptor);
  const digests = [config, ...layers].map(({ digest }) => digest);
  if (kept.size >= MOST_KEPT) kept.clear();
  if (version !== undefined) kept.set(path, { version, digests });
  return digests;
}

/**
 * @param before the index as it was. @param after what is to stay of it, and what is new.
 * @returns `after` without the artifacts that described what is gone: nameless manifests whose `subject` was in the
 * index and is no more (image-spec, manifest.md, "subject"). Those with a subject elsewhere are left alone.
 */
export async function withoutOrphans(
  layout: Layout,
  before: readonly Descriptor[],
  after: readonly Descriptor[],
): Promise<Descriptor[]> {
  const known = new Set(before.map(({ digest }) => digest));
  const stays = new Set(after.map(({ digest }) => digest));
  // Nothing is gone, so nothing that describes it is: the manifests need not be read.
  if (before.every(({ digest }) => stays.has(digest))) return [...after];
  let left = [...after];
  for (;;) {
    const present = new Set(left.map(({ digest }) => digest));
    const kept: Descriptor[] = [];
    for (const item of left) {
      const subject = nameOf(item) === undefined ? await subjectOf(layout, item) : undefined;
      if (subject === undefined || present.has(subject) || !known.has(subject)) kept.push(item);
    }
    if (kept.length === left.length) return kept;
    left = kept;
  }
}

/** Of these, the artifacts that describe a manifest. */
export async function describing(
  layout: Layout,
  descriptors: readonly Descriptor[],
  subject: Digest,
): Promise<Descriptor[]> {
  const artifacts = descriptors.filter((item) => isManifest(item) && item['artifactType'] !== undefined);
  const subjects = await Promise.all(artifacts.map((item) => subjectOf(layout, item)));
  return artifacts.filter((_, at) => subjects[at] === subject);
}

/** A manifest that cannot be read is nobody's artifact: it stays. */
async function subjectOf(layout: Layout, descriptor: Descriptor): Promise<Digest | undefined> {
  if (!isManifest(descriptor)) return undefined;
  const manifest = await readManifest(layout, descriptor).catch(() => undefined);
  return manifest?.subject?.digest;
}
