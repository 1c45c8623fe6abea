/**
 * Whether everything that a receipt rests on has the digest and the size that its descriptor states, from the index on:
 * the image's manifest, config and layers, the receipt, and the volumes beside the image. The oracle's code reads it, and
 * nothing of what wrote it: a document that was changed in place is found, whatever it says.
 */
import { join } from 'node:path';
import { blobFile, checkBlob, placeOf, readDocument } from '../../oci/validation/blobs.ts';
import {
  type DescriptorDocument,
  indexLinks,
  type ManifestDocument,
  manifestLinks,
} from '../../oci/validation/documents.ts';
import { Faults } from '../../oci/validation/fault.ts';
import { artifactsOf, isGone } from '../../oci/validation/resolve.ts';
import { RECEIPT_TYPE } from './form.ts';

const VOLUME_TYPE = 'application/vnd.p2c.volume.v1';
const VOLUME_PATH = 'io.p2c.volume.path';
/** In the index, of an artifact: what it describes. So one is found also where its own words were destroyed. */
const SUBJECT = 'io.p2c.subject';

/** @param digest of the image's manifest. */
export async function checkChain(root: string, digest: string): Promise<Faults> {
  const faults = await checkNow(root, digest);
  // Removed meanwhile: that is what there is to say.
  return faults.ofMissing && (await isGone(root, digest)) ? checkNow(root, digest) : faults;
}

async function checkNow(root: string, digest: string): Promise<Faults> {
  const faults = new Faults();
  const index = await readDocument(join(root, 'index.json'), indexLinks, 'index.json', faults);
  const all = index?.manifests ?? [];
  const images = all.filter((item) => item.digest === digest);
  const [image] = images;
  if (image === undefined) {
    faults.add('index.missing', 'index.json', `it does not name the manifest ${digest}`);
    return faults;
  }
  const manifest = await checkedManifest(root, image, 'manifest', faults);
  if (manifest !== undefined) {
    await checkBlob(root, manifest.config, placeOf('config', manifest.config.digest), faults);
    for (const [number, layer] of manifest.layers.entries()) await checkBlob(root, layer, `layer ${number}`, faults);
  }
  const described = new Set([
    ...(await artifactsOf(root, all, images)),
    ...all.filter((item) => item.annotations?.[SUBJECT] === digest),
  ]);
  for (const artifact of described) await checkArtifact(root, artifact, faults);
  return faults;
}

async function checkArtifact(root: string, descriptor: DescriptorDocument, faults: Faults): Promise<void> {
  const manifest = await checkedManifest(root, descriptor, 'artifact', faults);
  if (manifest === undefined) return;
  const { config, layers, artifactType, annotations } = manifest;
  await checkBlob(root, config, placeOf('config', config.digest), faults);
  for (const [number, layer] of layers.entries()) {
    const ofVolume = `layer ${number} of the volume ${annotations?.[VOLUME_PATH] ?? ''}`;
    const other = placeOf(artifactType === RECEIPT_TYPE ? 'receipt' : 'artifact', layer.digest);
    await checkBlob(root, layer, artifactType === VOLUME_TYPE ? ofVolume : other, faults);
  }
}

/** What it leads on to, also where its bytes are not those that they should be. */
async function checkedManifest(
  root: string,
  descriptor: DescriptorDocument,
  what: string,
  faults: Faults,
): Promise<ManifestDocument | undefined> {
  const where = placeOf(what, descriptor.digest);
  if (!(await checkBlob(root, descriptor, where, faults))) return undefined;
  return readDocument(blobFile(root, descriptor.digest), manifestLinks, where, faults);
}
