/** How the files of a source come into the store: which, in which parts, and again where they moved meanwhile. */
import { messageOf, P2cError } from '../errors.ts';
import type { CapturePlan } from '../listing/plan.ts';
import { volumePlaces } from '../profiles/volumes.ts';
import { mappedFiles } from '../source/mapped-files.ts';
import type { Wire } from '../ssh/wire.ts';
import type { PartMemory } from './memory.ts';
import { patienceOf } from './retry.ts';
import type { Scene } from './scene.ts';
import type { Booting } from './stages/boot.ts';
import type { ListInput } from './stages/finds.ts';
import { listFilesystems, requireSameMounts, type ScannedListing } from './stages/list.ts';
import { describeSettled, type Settled, type SettleInput, settle } from './stages/settle.ts';
import type { Applications } from './stages/stop-and-start.ts';
import { type CapturedLayers, describeCapture, type StreamInput, streamParts } from './stages/stream.ts';
import { volumesWithoutFolder } from './stages/volumes.ts';
import { describePlan, planCapture } from './survey.ts';

export const LIST_AGAIN = 'List the files again';
export const STREAM = 'Stream the files';
export const SETTLE = 'Settle what moved meanwhile';

/** The scene of a capture. */
export interface CaptureScene extends Scene {
  readonly wire: Wire;
  readonly applications: Applications;
  /** Where the image is booted in the end: unpacks what comes while more comes. */
  readonly booting: Booting | undefined;
}

export interface Planned {
  readonly plan: CapturePlan;
  /** The listing that the plan was made of. */
  readonly scanned: ScannedListing;
}

/**
 * The survey's plan; or a new one where the applications were stopped since: what they wrote while they stopped belongs
 * to the capture.
 */
export async function planFiles({ applications, request, survey, show, work }: CaptureScene): Promise<Planned> {
  if (!applications.stopped) return { plan: survey.plan, scanned: survey.scanned };
  return show.stage(
    LIST_AGAIN,
    async (tell) => {
      const input: ListInput = { ...patienceOf(request, show), ...survey, reason: ' again' };
      const scanned = await listFilesystems(input, await work.sub('stopped'), tell);
      requireSameMounts(survey.scanned, scanned);
      const plan = await planCapture({ ...request, ...survey, scanned }, await work.sub('stopped-plan'));
      return { scanned, plan };
    },
    ({ plan }) => describePlan(plan),
  );
}

/**
 * @returns the layers of the plan; files that were written through memory are among those to be fetched again.
 * @throws P2cError where a part could not be captured whole.
 */
export async function streamFiles(scene: CaptureScene, { plan, scanned }: Planned): Promise<CapturedLayers> {
  const { request, show } = scene;
  for (const path of volumesWithoutFolder(plan, volumePlaces(request.profiles)))
    show.note(`${path} is no folder that is captured: no volume of it`);
  const suspects = await filesWrittenThroughMemory(scene);
  const memory = partMemory(scene, scanned, suspects);
  const captured = await show.stage(
    STREAM,
    (tell) =>
      scene.applications.whileStopped((signal) =>
        streamParts({ ...streamInput(scene, scanned), signal, memory }, plan, tell),
      ),
    describeCapture,
  );
  return { ...captured, again: new Set([...suspects, ...captured.again]) };
}

/** Fetches again what moved since its listing. With it, the source has sent all. */
export async function settleFiles(
  scene: CaptureScene,
  { scanned }: Planned,
  captured: CapturedLayers,
): Promise<Settled> {
  const { request, survey, show, work, booting, applications } = scene;
  const input: Omit<SettleInput, 'signal'> = {
    ...streamInput(scene, scanned),
    rules: survey.rules,
    streamed: { ...scanned, startedAt: captured.listedAt ?? scanned.startedAt },
    suspects: captured.again,
    work,
    rounds: request.settle,
    volumes: volumePlaces(request.profiles),
  };
  const settled = await show.stage(
    SETTLE,
    (tell) => applications.whileStopped((signal) => settle({ ...input, signal }, tell)),
    describeSettled,
  );
  booting?.arrived(settled.layers);
  return settled;
}

function streamInput(
  { request, survey, store, wire, show }: CaptureScene,
  scanned: ScannedListing,
): Omit<StreamInput, 'signal'> {
  const { streams, sparse } = request;
  const { session, facts } = survey;
  return { ...patienceOf(request, show), session, facts, scanned, store, wire, streams, sparse };
}

/** A hot copy would be torn without knowing them; of a server whose applications are down, they are few. */
async function filesWrittenThroughMemory({ survey, request, show }: CaptureScene): Promise<ReadonlySet<string>> {
  try {
    return await mappedFiles(survey.session);
  } catch (error) {
    if (request.hot || !(error instanceof P2cError) || error.code !== 'source.mapped') throw error;
    show.note(error.message);
    return new Set();
  }
}

/** Of the parts of this listing; on every way out, what they leave behind is waited for. */
function partMemory(
  { memory, store, booting, held, show }: CaptureScene,
  { startedAt }: ScannedListing,
  suspects: ReadonlySet<string>,
): PartMemory {
  const kept = memory.parts(store, { listedAt: startedAt, suspects });
  const parts = booting?.unpacking.parts(kept) ?? kept;
  held.defer(() => parts.settled().catch((error: unknown) => show.note(`not remembered: ${messageOf(error)}`)));
  return parts;
}
