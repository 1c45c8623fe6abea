/** What the index reaches: the blobs that collection must leave alone. */

import { stat } from 'node:fs/promises';
import { P2cError } from '../errors.ts';
import { isManifest, nameOf, readManifest } from './descriptors.ts';
import { type Digest, isDigest } from './digest.ts';
import type { Layout } from './layout.ts';
import { type Descriptor, DockerType, indexSchema, MediaType, SUBJECT } from './spec.ts';

const MANIFESTS: readonly string[] = [MediaType.manifest, DockerType.manifest];
const INDEXES: readonly string[] = [MediaType.index, DockerType.list];

/**
 * Every digest reached from these descriptors: through manifests and nested indexes to configs and layers.
 * @throws P2cError `store.invalid` for a document that cannot be read, `store.foreign` for one of a type that p2c does not
 * know: what it reaches is unknown then.
 */
export async function reachable(layout: Layout, descriptors: readonly Descriptor[]): Promise<Set<Digest>> {
  const reached = new Set<Digest>();
  const waiting = descriptors.map((item) => ({ item, from: item }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { item, from } = next;
    if (reached.has(item.digest)) continue;
    reached.add(item.digest);
    if (MANIFESTS.includes(item.mediaType)) {
      for (const digest of await reachedBy(layout, item)) reached.add(digest);
    } else if (INDEXES.includes(item.mediaType)) {
      const { manifests } = await layout.readDocument(item.digest, indexSchema, 'index');
      waiting.push(...manifests.map((inner) => ({ item: inner, from })));
    } else throw foreign(layout.root, item, from);
  }
  return reached;
}

/** True for what says that what an image needs cannot be told: then nothing may be collected. */
export function isUnknownNeed(error: unknown): boolean {
  return error instanceof P2cError && (error.code === 'store.invalid' || error.code === 'store.foreign');
}

/** @param from the descriptor of the index by which it was reached. */
function foreign(root: string, { digest, mediaType }: Descriptor, from: Descriptor): P2cError {
  const name = nameOf(from) ?? from.digest;
  return new P2cError(
    `nothing can be removed from ${root}: p2c does not know what ${digest}, a '${mediaType}', needs`,
    {
      code: 'store.foreign',
      hint: `another tool put it there; 'p2c image rm ${name}' takes it out of the index, and then the rest can be removed`,
    },
  );
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

/** Of these, the artifacts that describe a manifest, those that cannot be read left out. */
export async function describing(
  layout: Layout,
  descriptors: readonly Descriptor[],
  subject: Digest,
): Promise<Descriptor[]> {
  const artifacts = descriptors.filter((item) => isManifest(item) && item['artifactType'] !== undefined);
  const manifests = await Promise.all(artifacts.map((item) => readManifest(layout, item).catch(() => undefined)));
  return artifacts.filter((_, at) => manifests[at]?.subject?.digest === subject);
}

/** Of a manifest that cannot be read, what the index says; where that says nothing it is nobody's artifact, and stays. */
async function subjectOf(layout: Layout, descriptor: Descriptor): Promise<Digest | undefined> {
  if (!isManifest(descriptor)) return undefined;
  const manifest = await readManifest(layout, descriptor).catch(() => undefined);
  return manifest === undefined ? statedSubject(descriptor) : manifest.subject?.digest;
}

export function statedSubject({ annotations }: Descriptor): Digest | undefined {
  const stated = annotations?.[SUBJECT] ?? '';
  return isDigest(stated) ? stated : undefined;
}
