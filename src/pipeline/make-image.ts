/** What was captured becomes an image: accounted for, adapted, and last of all named in the store. */
import type { Adaptation } from '../adapt/adapt.ts';
import type { Image } from '../oci/image.ts';
import type { WrittenReceipt } from '../report/receipt/write.ts';
import type { Planned } from './capture.ts';
import type { Scene } from './scene.ts';
import { adaptCapture } from './stages/adapt.ts';
import { importImage } from './stages/import.ts';
import { describeReceipt, makeReceipt, requireRead } from './stages/receipt.ts';
import type { Settled } from './stages/settle.ts';
import type { CapturedLayers } from './stages/stream.ts';
import { type CapturedVolume, capturedVolumes } from './stages/volumes.ts';

export const ACCOUNT = 'Account for every path';
export const IMPORT = 'Import the image';

export interface Capture extends Planned {
  readonly captured: CapturedLayers;
  readonly settled: Settled;
}

export interface MadeImage {
  readonly image: Image;
  readonly receipt: WrittenReceipt;
  /** Undefined where it was not to be adapted, or could not. */
  readonly adaptation: Adaptation | undefined;
  readonly volumes: readonly CapturedVolume[];
}

/**
 * @param unreadToo whether it is made though something other than a log could not be read.
 * @throws P2cError `capture.unreadable`, `store.full`.
 */
export async function makeImage(scene: Scene, capture: Capture, unreadToo: boolean): Promise<MadeImage> {
  const { store, request, survey, memory, show } = scene;
  const { captured, settled, scanned } = capture;
  const layers = [...captured.layers, ...settled.layers];
  const volumes = capturedVolumes([...captured.beside, ...settled.beside]);
  const common = { store, request, facts: survey.facts, layers, volumes, started: memory.started };
  const account = {
    rules: survey.rules,
    streamed: scanned.listing,
    logs: [...captured.logs, ...settled.logs],
    lastChanges: settled.lastChanges,
  };
  const receipt = await show.stage(ACCOUNT, () => makeReceipt({ ...common, ...account }), describeReceipt);
  if (!unreadToo) requireRead(receipt, request.target.name);
  const adaptation = await adaptCapture(scene, layers, captured.logs);
  const image = await show.stage(
    IMPORT,
    () => importImage({ ...common, receipt: receipt.artifact, adaptation }),
    ({ reference, digest }) => `${reference} ${digest}`,
  );
  return { image, receipt, adaptation, volumes };
}
