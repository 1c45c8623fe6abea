/** Makes the layer by which a capture boots in a container. */
import { type Adaptation, adaptLayers } from '../../adapt/adapt.ts';
import type { Places } from '../../adapt/image-tree.ts';
import { describeSystem } from '../../adapt/system.ts';
import { messageOf, P2cError } from '../../errors.ts';
import type { Layer } from '../../oci/layer.ts';
import { CaptureLogReader } from '../../report/receipt/capture-log.ts';
import type { LayerLog } from '../../report/receipt/layers.ts';
import { formatCount } from '../../report/units.ts';
import type { Scene } from '../scene.ts';
import { recordedOf } from './recorded.ts';

export const ADAPT = 'Adapt it to a container';

/**
 * A capture took hours and a downtime: one that cannot be adapted becomes an image all the same, and can be adapted later.
 * @param captured the layers of the raw capture, the lowest first.
 * @param logs of the lowest of them, those that hold no whiteouts, what went in.
 * @returns undefined where it was not to be adapted, or could not.
 */
export async function adaptCapture(
  scene: Scene,
  captured: readonly Layer[],
  logs: readonly LayerLog[],
): Promise<Adaptation | undefined> {
  const { store, request, survey, show } = scene;
  const layers = captured.map((layer, at) => ({ ...layer, places: placesOf(logs[at]) }));
  if (!request.adapt) return undefined;
  const adapting = async (): Promise<Adaptation | P2cError> => {
    try {
      // The last layer may be on its way to the disk still: nothing waited for it so far.
      await store.published();
      return await adaptLayers(store, layers, request.withoutRecipes, recordedOf(request, survey.facts));
    } catch (error) {
      if (error instanceof P2cError && error.code !== 'store.full') return error;
      throw error;
    }
  };
  const made = await show.stage(ADAPT, adapting, (result) =>
    result instanceof P2cError ? 'not done' : describe(result),
  );
  if (!(made instanceof P2cError)) return made;
  show.note(`not adapted: ${messageOf(made)}; 'p2c image adapt' tries again`);
  return undefined;
}

/** From header to header through a layer of a million files would take minutes; where each lies is known. */
function placesOf(log: LayerLog | undefined): Places | undefined {
  return log === undefined ? undefined : (wanted) => placesIn(log.file, wanted);
}

function* placesIn(log: string, wanted: (path: string) => boolean): Generator<number> {
  const reader = new CaptureLogReader(log);
  try {
    for (; reader.current !== undefined; reader.next()) {
      const { current } = reader;
      if (!('lost' in current) && wanted(current.path)) yield current.offset;
    }
  } finally {
    reader.close();
  }
}

/** The stage's last line. */
function describe({ system, applied }: Adaptation): string {
  const unknown = system.distribution === 'unknown' ? 'unknown system, general recipes: ' : '';
  return `${unknown}${describeSystem(system)}, ${formatCount(applied.length, 'recipe')}`;
}
