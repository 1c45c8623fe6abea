/**
 * An adaptation as part of an image: one layer above the raw capture, with a history entry of its own by which it is
 * found again, and what the image's config says of the system's init.
 */
import type { NewArtifact } from '../oci/artifact.ts';
import type { Image } from '../oci/image.ts';
import type { Layer } from '../oci/layer.ts';
import type { Reference } from '../oci/reference.ts';
import type { ExecutionConfig, ImageConfig } from '../oci/spec.ts';
import type { ImageStore } from '../oci/store.ts';
import { SYSTEM_LABELS as LABELS } from '../oci/system-labels.ts';
import { type Adaptation, adaptLayers } from './adapt.ts';
import { recordedIn } from './recorded.ts';
import { describeSystem, type Init, needsOldCgroups, type System } from './system.ts';

/** How its history entry begins. */
const CREATED_BY = 'p2c adapt';

/** What asks an init to shut down: init(8) of sysvinit and upstart (the adapted powerfail line), systemd(1), "SIGNALS". */
const STOP_SIGNALS: Readonly<Record<Init, string | undefined>> = {
  sysvinit: 'SIGPWR',
  upstart: 'SIGPWR',
  systemd: 'SIGRTMIN+3',
  none: undefined,
};

/** How many of the image's layers are the raw capture: all, but for an adaptation on top. */
function rawLayerCount({ manifest, config }: Pick<Image, 'manifest' | 'config'>): number {
  const last = (config.history ?? []).filter((entry) => entry.empty_layer !== true).at(-1);
  const adapted = last?.created_by?.startsWith(CREATED_BY) ?? false;
  return manifest.layers.length - (adapted ? 1 : 0);
}

/** The config with the adaptation's layer in it, and its labels. */
export function withAdaptation(config: ImageConfig, { system, applied, layer }: Adaptation, when: Date): ImageConfig {
  const labelled = { ...config, config: withInit(config.config ?? {}, system) };
  if (layer === undefined) return labelled;
  const recipes = applied.map(({ recipe }) => recipe).join(', ');
  return {
    ...labelled,
    rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, layer.diffID] },
    history: [...(config.history ?? []), { created: when.toISOString(), created_by: `${CREATED_BY}: ${recipes}` }],
  };
}

function withInit(execution: ExecutionConfig, system: System): ExecutionConfig {
  const ours: readonly string[] = [LABELS.init, LABELS.runlevel, LABELS.cgroups, LABELS.system];
  const others = Object.entries(execution.Labels ?? {}).filter(([key]) => !ours.includes(key));
  const { StopSignal: was, ...rest } = execution;
  const signal = Object.values(STOP_SIGNALS).includes(was) ? STOP_SIGNALS[system.init] : was;
  return {
    ...rest,
    ...(signal === undefined ? {} : { StopSignal: signal }),
    Labels: {
      ...Object.fromEntries(others),
      [LABELS.init]: system.init,
      [LABELS.system]: describeSystem(system),
      ...(system.runlevel === undefined ? {} : { [LABELS.runlevel]: system.runlevel }),
      ...(needsOldCgroups(system) ? { [LABELS.cgroups]: 'v1' } : {}),
    },
  };
}

export interface Adapted {
  readonly image: Image;
  readonly adaptation: Adaptation;
}

/**
 * Gives an image an adaptation, in place of one that it has; what describes the image comes along.
 * @param reference where it is the image's own, the image is replaced, and no other that got the name meanwhile.
 * @throws P2cError `image.moved`, `image.unknown`, `adapt.foreign`, `adapt.damaged`, `adapt.size`.
 */
export async function adaptImage(
  store: ImageStore,
  image: Image,
  reference: Pick<Reference, 'name'>,
  options: { readonly without: readonly string[]; readonly when: Date },
): Promise<Adapted> {
  // Its layers are read and come along: whoever removes it meanwhile must leave them.
  await using _ = await store.use(image);
  const count = rawLayerCount(image);
  const layers = layersOf(image).slice(0, count);
  const adaptation = await adaptLayers(store, layers, options.without, recordedIn(image));
  const bare = { ...image.config, rootfs: { ...image.config.rootfs, diff_ids: layers.map(({ diffID }) => diffID) } };
  const config = withAdaptation({ ...bare, ...historyOf(image, count) }, adaptation, options.when);
  const adapted = await store.addImage({
    reference,
    ...(reference.name === image.reference ? { replaces: image.digest } : {}),
    layers: adaptation.layer === undefined ? layers : [...layers, adaptation.layer],
    config,
    artifacts: await artifactsOf(store, image),
  });
  return { image: adapted, adaptation };
}

function layersOf({ manifest, config }: Image): Layer[] {
  return manifest.layers.flatMap(({ mediaType, digest, size }, at) => {
    const diffID = config.rootfs.diff_ids[at];
    return diffID === undefined ? [] : [{ mediaType, digest, size, diffID }];
  });
}

function historyOf({ manifest, config }: Image, count: number): Pick<ImageConfig, 'history'> {
  if (config.history === undefined || count === manifest.layers.length) return { history: config.history };
  // Entries without a layer may follow: `umoci config` and `docker commit` write them.
  const adaptation = config.history.findLastIndex((entry) => entry.empty_layer !== true);
  return { history: config.history.toSpliced(adaptation, 1) };
}

/** The receipt speaks of the raw capture, which is the same. */
async function artifactsOf(store: ImageStore, image: Image): Promise<NewArtifact[]> {
  const manifests = await store.artifactsOf(image);
  return manifests.map(({ artifactType, layers, annotations = {} }) => ({
    artifactType: String(artifactType),
    layers,
    annotations,
  }));
}
