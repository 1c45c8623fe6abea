/**
 * The oracle: whether a layout and its images are what the image-spec demands. It opens the files itself, shares no
 * code with what wrote them, and goes on after every fault.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, P2cError, systemCode, usageError } from '../../errors.ts';
import { readDocument, readWithLinks } from './blobs.ts';
import { type DescriptorDocument, indexDocument, indexLinks, layoutDocument, NAME_ANNOTATION } from './documents.ts';
import { Examination, type Verdict } from './examination.ts';
import { Faults } from './fault.ts';
import { artifactsOf, descriptorsOf } from './resolve.ts';

const INDEX_FILE = 'index.json';

/** Judges the whole layout with all its images. @throws P2cError `store.missing`. */
export async function validateLayout(root: string): Promise<Verdict> {
  const faults = new Faults();
  return new Examination(root, faults).judge(await readLayout(root, faults));
}

/**
 * Judges the layout's own documents, and one image with the artifacts whose `subject` it is. Where it is removed meanwhile, or
 * its name goes to another, what the index says then counts.
 * @param name a name with or without tag and `localhost/`, a manifest's digest, or three or more digits of an ID.
 * @throws P2cError `store.missing`, `image.unknown`.
 */
export async function validateImage(root: string, name: string): Promise<Verdict> {
  const faults = new Faults();
  const all = await readLayout(root, faults);
  const named = await descriptorsOf(root, all, name);
  if (named.length === 0) {
    // Of an index that is damaged, the name may be in what could not be read.
    if (!faults.kept.some(({ where }) => where === INDEX_FILE)) throw unknownImage(root, all, name);
    faults.add('image.unknown', INDEX_FILE, `what can be read of it names no image '${name}'`);
  }
  const artifacts = await artifactsOf(root, all, named);
  const examination = new Examination(root, faults);
  const verdict = await examination.judge([...named, ...artifacts]);
  const isLost = named.length > 0 && named.every(({ digest }) => examination.gone.has(digest));
  return isLost ? validateImage(root, name) : verdict;
}

function unknownImage(root: string, all: readonly DescriptorDocument[], name: string): P2cError {
  const names = all.flatMap((item) => item.annotations?.[NAME_ANNOTATION] ?? []);
  const hint = names.length === 0 ? 'the store is empty' : `it has: ${names.slice(0, 10).join(', ')}`;
  return usageError(`there is no image '${name}' in ${root}`, { code: 'image.unknown', hint });
}

/** The layout's marker, index and folder of blobs. @returns the descriptors of the index. */
async function readLayout(root: string, faults: Faults): Promise<DescriptorDocument[]> {
  const entries = await readdir(root).catch((error: unknown) => {
    const missing = systemCode(error) === 'ENOENT';
    throw new P2cError(missing ? `there is no store at ${root}` : `${root} cannot be read: ${messageOf(error)}`, {
      code: missing ? 'store.missing' : 'store.failed',
      hint: 'P2C_ROOT names another place',
      cause: error,
    });
  });
  if (!entries.includes('blobs')) faults.add('layout.blobs', 'blobs', 'the folder is missing');
  await readDocument(join(root, 'oci-layout'), layoutDocument, 'oci-layout', faults);
  await checkBlobNames(root, faults);
  const index = await readWithLinks(join(root, INDEX_FILE), [indexDocument, indexLinks], INDEX_FILE, faults);
  checkNames(index?.manifests ?? [], faults);
  return index?.manifests ?? [];
}

async function checkBlobNames(root: string, faults: Faults): Promise<void> {
  const names = await readdir(join(root, 'blobs/sha256')).catch(() => []);
  for (const name of names) {
    if (!/^[0-9a-f]{64}$/.test(name)) faults.add('layout.blob-name', 'blobs/sha256', `'${name}' is no digest`);
  }
}

function checkNames(manifests: readonly DescriptorDocument[], faults: Faults): void {
  const seen = new Set<string>();
  for (const { annotations } of manifests) {
    const name = annotations?.[NAME_ANNOTATION];
    if (name === undefined) continue;
    if (seen.has(name)) faults.add('index.name-twice', INDEX_FILE, `two manifests have the name '${name}'`);
    seen.add(name);
  }
}
