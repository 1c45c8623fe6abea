/** Judges an image: manifest, config, history and layers, and what travels with it. */
import { placeOf, readDescribed } from './blobs.ts';
import {
  CONFIG_TYPE,
  configDocument,
  configLinks,
  type DescriptorDocument,
  type ManifestDocument,
  manifestDocument,
  manifestLinks,
} from './documents.ts';
import type { Faults } from './fault.ts';
import { type ExaminedLayer, examineLayer } from './layer.ts';

export interface ExaminedImage {
  readonly layers: number;
  readonly entries: number;
  /** Of the layers, uncompressed. */
  readonly bytes: number;
}

/** Layers that images share are examined once. */
export type KnownLayers = Map<string, ExaminedLayer>;

/** A manifest that is read for its faults. */
export async function readManifest(
  root: string,
  descriptor: DescriptorDocument,
  faults: Faults,
): Promise<ManifestDocument | undefined> {
  const manifest = await readDescribed(root, descriptor, [manifestDocument, manifestLinks], 'manifest', faults);
  if (manifest?.mediaType !== undefined && manifest.mediaType !== descriptor.mediaType) {
    const message = `it says '${manifest.mediaType}', and its descriptor says '${descriptor.mediaType}'`;
    faults.add('manifest.media-type', placeOf('manifest', descriptor.digest), message);
  }
  return manifest;
}

export async function examineImage(
  root: string,
  descriptor: DescriptorDocument,
  manifest: ManifestDocument,
  known: KnownLayers,
  faults: Faults,
): Promise<ExaminedImage> {
  const where = placeOf('manifest', descriptor.digest);
  if (manifest.config.mediaType !== CONFIG_TYPE) {
    faults.add('manifest.config-type', where, `its config is a '${manifest.config.mediaType}', not an image's`);
  }
  if (manifest.layers.length === 0) faults.add('manifest.layers', where, 'it has no layers');
  const examined: ExaminedLayer[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    const key = `${layer.digest} ${layer.size} ${layer.mediaType} ${index === 0}`;
    const result = known.get(key) ?? (await examineLayer(root, layer, { lowest: index === 0 }, faults));
    known.set(key, result);
    examined.push(result);
  }
  await checkConfig(root, manifest, examined, faults);
  return {
    layers: examined.length,
    entries: examined.reduce((sum, { entries }) => sum + entries, 0),
    bytes: examined.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function checkConfig(
  root: string,
  manifest: ManifestDocument,
  layers: readonly ExaminedLayer[],
  faults: Faults,
): Promise<void> {
  const where = placeOf('config', manifest.config.digest);
  const config = await readDescribed(root, manifest.config, [configDocument, configLinks], 'config', faults);
  if (config === undefined) return;
  const diffIDs = config.rootfs.diff_ids;
  if (diffIDs.length !== layers.length) {
    faults.add('config.diff-ids', where, `it has ${diffIDs.length} diffIDs for ${layers.length} layers`);
  }
  for (const [index, { diffID }] of layers.entries()) {
    const stated = diffIDs[index];
    if (stated === undefined || diffID === undefined || stated === diffID) continue;
    faults.add('config.diff-id', where, `layer ${index + 1} has the diffID ${diffID}, and ${stated} is stated`);
  }
  const filled = config.history?.filter((entry) => entry.empty_layer !== true).length;
  if (filled !== undefined && filled !== layers.length) {
    faults.add('config.history', where, `its history tells of ${filled} layers, and there are ${layers.length}`);
  }
}
