/** What of a capture is stored beside the image: the layers of each volume, through the rounds that settle it. */
import { comparePaths } from '../../listing/path.ts';
import type { CapturePlan } from '../../listing/plan.ts';
import type { VolumePlace } from '../../listing/trees.ts';
import type { Layer } from '../../oci/layer.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import type { LayerLog } from '../../report/receipt/layers.ts';

/** One step of a volume's capture. */
export interface VolumeStep {
  readonly volume: ByteString;
  /** Undefined where its folder was gone at that moment: what was captured before counts no more. */
  readonly captured: VolumeLayer | undefined;
}

interface VolumeLayer {
  readonly layer: Layer;
  readonly log: LayerLog;
}

/** A volume as it was captured. */
export interface CapturedVolume {
  readonly path: ByteString;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  readonly logs: readonly LayerLog[];
}

/** @param captured the plan's parts, in its order. */
export function volumeSteps({ parts, goneVolumes }: CapturePlan, captured: readonly VolumeLayer[]): VolumeStep[] {
  const gone = goneVolumes.map((volume) => ({ volume, captured: undefined }));
  const came = parts.flatMap(({ volume }, at) => {
    const part = captured[at];
    return volume === undefined || part === undefined ? [] : [{ volume, captured: part }];
  });
  return [...gone, ...came];
}

/** In path order; none that has nothing. */
export function capturedVolumes(steps: readonly VolumeStep[]): CapturedVolume[] {
  const volumes = new Map<ByteString, VolumeLayer[]>();
  for (const { volume, captured } of steps) {
    if (captured === undefined) volumes.delete(volume);
    else volumes.set(volume, [...(volumes.get(volume) ?? []), captured]);
  }
  const ordered = [...volumes].sort(([a], [b]) => comparePaths(a, b));
  return ordered.map(([path, parts]) => ({
    path,
    layers: parts.map(({ layer }) => layer),
    logs: parts.map(({ log }) => log),
  }));
}

/** Paths, as people see them, of volumes that are to be stored beside the image and are no folders on the source. */
export function volumesWithoutFolder({ parts }: CapturePlan, places: readonly VolumePlace[]): string[] {
  const found = new Set(parts.map(({ volume }) => volume));
  return places.filter(({ path, apart }) => apart && !found.has(path)).map(({ path }) => printablePath(path));
}
