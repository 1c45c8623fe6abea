/** Descriptors of the index: which of them a user's word means. */
import { P2cError, usageError } from '../errors.ts';
import { type Digest, hexOf } from './digest.ts';
import type { Layout } from './layout.ts';
import { type Descriptor, type Manifest, MediaType, manifestSchema, REF_NAME } from './spec.ts';

export function isManifest(descriptor: Descriptor): boolean {
  return descriptor.mediaType === MediaType.manifest;
}

export function nameOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[REF_NAME];
}

/**
 * True for a manifest of which the index says that it is none of an image. Of an image, some tools write its config's type
 * there (image-spec, descriptor.md, "artifactType").
 */
export function isArtifact(descriptor: Descriptor): boolean {
  const type = descriptor['artifactType'];
  return isManifest(descriptor) && type !== undefined && type !== MediaType.config;
}

/** @throws P2cError `store.invalid`, which tells the image's name, and what to remove. */
export function readManifest(layout: Layout, descriptor: Descriptor): Promise<Manifest> {
  const name = nameOf(descriptor);
  const what = name === undefined ? 'manifest' : `manifest of '${name}'`;
  const hint = `'p2c image validate --all' lists what is wrong; 'p2c image rm ${name ?? descriptor.digest}' takes it away`;
  return layout.readDocument(descriptor.digest, manifestSchema, what, hint);
}

/**
 * One descriptor by name, else all that an image has by its digest or three or more digits of its ID. Never none.
 * @throws P2cError `image.unknown`, `image.ambiguous`.
 */
export async function descriptorsMeant(
  layout: Layout,
  manifests: readonly Descriptor[],
  name: string,
): Promise<Descriptor[]> {
  for (const spelling of spellings(name)) {
    const named = manifests.find((item) => nameOf(item) === spelling);
    if (named !== undefined) return [named];
  }
  const digest = name.slice(name.indexOf('@') + 1);
  const described = manifests.filter((item) => item.digest === digest);
  if (described.length > 0) return described;
  const found = await withID(layout, manifests, name);
  if (found.length === 0) throw unknownImage(layout.root, manifests, name);
  if (new Set(found.map((item) => item.digest)).size === 1) return found;
  throw usageError(`'${name}' is the beginning of more than one image's ID`, {
    code: 'image.ambiguous',
    hint: "give more digits, or a name: 'p2c images' lists them",
  });
}

/** The names that begin most alike stand first. */
export function unknownImage(root: string, manifests: readonly Descriptor[], name: string): P2cError {
  const known = manifests.flatMap((item) => nameOf(item) ?? []);
  const near = known.sort((a, b) => commonStart(b, name) - commonStart(a, name)).slice(0, 10);
  return usageError(`there is no image '${name}' in ${root}`, {
    code: 'image.unknown',
    hint: near.length === 0 ? "the store is empty: 'p2c migrate' makes images" : `it has: ${near.join(', ')}`,
  });
}

/** @param now undefined where nothing has the name any more. */
export function movedImage(name: string, now: Digest | undefined): P2cError {
  const what = now === undefined ? 'is gone' : `is another image, ${now}`;
  return new P2cError(`'${name}' ${what}: somebody changed that after this began`, {
    code: 'image.moved',
    hint: 'the store is as they left it; for what is there now, do it again',
  });
}

/** Images that are damaged have no ID that could be told: they are removed by name. */
async function withID(layout: Layout, manifests: readonly Descriptor[], name: string): Promise<Descriptor[]> {
  const id = /^(?:sha256:)?([0-9a-f]{3,64})$/.exec(name)?.[1];
  if (id === undefined) return [];
  const found: Descriptor[] = [];
  for (const item of manifests.filter(isManifest)) {
    const manifest = await readManifest(layout, item).catch(() => undefined);
    if (manifest !== undefined && hexOf(manifest.config.digest).startsWith(id)) found.push(item);
  }
  return found;
}

/** What podman takes for a stored name: without the tag `latest`, and with or without `localhost/`. */
function spellings(name: string): string[] {
  const bare = name.replace(/^localhost\//, '');
  return [name, bare, `localhost/${bare}`].flatMap((each) => [each, `${each}:latest`]);
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
