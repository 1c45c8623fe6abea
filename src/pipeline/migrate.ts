/** The whole way from a running server to an image in the store. Read from the top: this is the table of contents. */
import { join } from 'node:path';
import { messageOf, P2cError } from '../errors.ts';
import { complaintsThatMatter } from '../listing/blind-spots.ts';
import type { CapturePlan } from '../listing/plan.ts';
import { ImageStore } from '../oci/store.ts';
import { volumePlaces } from '../profiles/volumes.ts';
import type { MigrationReport } from '../report/migration-report.ts';
import { mappedFiles } from '../source/mapped-files.ts';
import { requireTar } from '../source/tools.ts';
import type { Session } from '../ssh/session.ts';
import { accounted, forgetful, type Memory, rememberStart, rememberStop, rememberSurvey } from './memory.ts';
import type { MigrationRequest } from './request.ts';
import { type Belongings, holding } from './rollback.ts';
import type { Show } from './stage.ts';
import { adaptCapture } from './stages/adapt.ts';
import { BOOT, Booting } from './stages/boot.ts';
import { importImage } from './stages/import.ts';
import { type ListInput, listFilesystems, requireSameMounts, type ScannedListing } from './stages/list.ts';
import { describeReceipt, makeReceipt, requireRead } from './stages/receipt.ts';
import { migrationReport } from './stages/report.ts';
import { describeSettled, settle } from './stages/settle.ts';
import {
  LEAVE,
  leaveApplications,
  START,
  STOP,
  startApplications,
  startFailed,
  stopApplications,
  stopReport,
  whileStopped,
} from './stages/stop-and-start.ts';
import { describeCapture, streamParts } from './stages/stream.ts';
import { capturedVolumes, volumesWithoutFolder } from './stages/volumes.ts';
import { agreeOnWire, describePlan, patienceOf, planCapture, SURVEY_STAGES, type Survey, survey } from './survey.ts';
import { WorkFolder } from './work-folder.ts';

const STREAM = 'Stream the files';
const SETTLE = 'Settle what moved meanwhile';
const ACCOUNT = 'Account for every path';
const ADAPT = 'Adapt it to a container';
const IMPORT = 'Import the image';
const LIST_AGAIN = 'List the files again';

/** Titles of the stages, in the order in which they come. */
export function migrationStages({
  hot,
  leaveStopped,
  adapt,
  boot,
}: Pick<MigrationRequest, 'hot' | 'leaveStopped' | 'adapt' | 'boot'>): string[] {
  const copy = hot ? [STREAM, STOP] : [STOP, LIST_AGAIN, STREAM];
  const image = [ACCOUNT, ...(adapt ? [ADAPT] : []), IMPORT];
  const end = [...(leaveStopped ? [...image, LEAVE] : [START, ...image]), ...(boot === undefined ? [] : [BOOT])];
  return [...SURVEY_STAGES, ...copy, SETTLE, ...end];
}

/**
 * Runs the pipeline. Whatever it stopped on the source is started again on every way out, and no image is visible in
 * the store before it is whole.
 */
export function migrate(
  request: MigrationRequest,
  show: Show,
  signal: AbortSignal,
  memory: Memory = forgetful(),
): Promise<MigrationReport> {
  return holding((held) => runStages(request, show, signal, held, memory));
}

async function runStages(
  asked: MigrationRequest,
  show: Show,
  signal: AbortSignal,
  held: Belongings,
  memory: Memory,
): Promise<MigrationReport> {
  const { started } = memory;
  const began = new Date();
  const store = held.use(await ImageStore.open(asked.storeRoot, { create: true }));
  const work = held.use(await WorkFolder.create(join(store.root, 'tmp')));
  const surveyed = await survey({ ...asked, connect: accounted(asked.connect, memory) }, show, held, work);
  const request = { ...asked, profiles: surveyed.profiles };
  signal.throwIfAborted();
  requireTar(surveyed.facts.tools, request.target.name, request.sparse === 'pax');
  rememberSurvey(memory, surveyed);
  await memory.room(store, surveyed.plan.parts, signal, request.boot !== undefined);
  const booting = await Booting.prepare({ request, survey: surveyed, store, memory, held, show, signal });
  const { session, facts, rules } = surveyed;
  const wire = await agreeOnWire(request, surveyed, show);
  let stopped = request.hot ? undefined : await stopApplications(request, surveyed, show, held, signal);
  rememberStop(memory, stopped);
  const { plan, scanned } = stopped === undefined ? ofSurvey(surveyed) : await planAgain(request, surveyed, show, work);
  const places = volumePlaces(request.profiles);
  for (const path of volumesWithoutFolder(plan, places))
    show.note(`${path} is no folder that is captured: no volume of it`);
  const suspects = await filesWrittenThroughMemory(session, request.hot, show);
  const { streams, sparse } = request;
  const streaming = { ...patienceOf(request, show), session, facts, store, wire, streams, sparse };
  const kept = memory.parts(store, { listedAt: scanned.startedAt, suspects });
  const parts = booting?.unpacking.parts(kept) ?? kept;
  held.defer(() => parts.settled().catch((error: unknown) => show.note(`not remembered: ${messageOf(error)}`)));
  const captured = await show.stage(
    STREAM,
    (tell) =>
      whileStopped(stopped, signal, (still) => streamParts({ ...streaming, signal: still, memory: parts }, plan, tell)),
    describeCapture,
  );
  if (request.hot) {
    stopped = await stopApplications(request, surveyed, show, held, signal);
    rememberStop(memory, stopped);
  }
  const again = new Set([...suspects, ...captured.again]);
  const streamed = { ...scanned, startedAt: captured.listedAt ?? scanned.startedAt };
  const rounds = { rounds: request.settle, volumes: places };
  const settling = { ...streaming, ...rounds, rules, streamed, suspects: again, work };
  const settled = await show.stage(
    SETTLE,
    (tell) => whileStopped(stopped, signal, (still) => settle({ ...settling, signal: still }, tell)),
    describeSettled,
  );
  booting?.arrived(settled.layers);
  await stopped?.confirm();
  const resumed = request.leaveStopped ? undefined : await startApplications(stopped, show);
  rememberStart(memory, resumed);
  // Whoever interrupted waited for the applications, and for no more.
  if (signal.aborted) throw resumed instanceof Error ? resumed : signal.reason;
  const layers = [...captured.layers, ...settled.layers];
  const volumes = capturedVolumes([...captured.beside, ...settled.beside]);
  const receipt = await show.stage(
    ACCOUNT,
    () =>
      makeReceipt({
        logs: [...captured.logs, ...settled.logs],
        lastChanges: settled.lastChanges,
        request,
        facts,
        rules,
        streamed: scanned.listing,
        store,
        layers,
        volumes,
        started,
      }),
    describeReceipt,
  );
  // Where applications did not start again, the image is made all the same: there will be no second window soon.
  if (!request.skipUnreadable && !(resumed instanceof Error)) requireRead(receipt, request.target.name);
  const adaptation = await adaptCapture({ store, request, layers, logs: captured.logs }, show, ADAPT);
  const image = await show.stage(
    IMPORT,
    () => importImage({ store, request, facts, layers, volumes, started, receipt: receipt.artifact, adaptation }),
    ({ reference, digest }) => `${reference} ${digest}`,
  );
  if (resumed instanceof Error) throw startFailed(resumed, image);
  const left = request.leaveStopped ? await leaveApplications(stopped, show, image) : undefined;
  const boot = await booting?.boot(image);
  const problems = complaintsThatMatter(
    [...surveyed.scanned.problems, ...scanned.problems, ...settled.problems],
    rules,
  );
  return migrationReport({
    request,
    began,
    surveyed,
    plan,
    problems,
    wire,
    captured,
    settled,
    stopped: stopReport(stopped, resumed, left),
    receipt,
    adaptation,
    image,
    volumes,
    boot,
  });
}

/** A hot copy would be torn without knowing them; of a server whose applications are down, they are few. */
async function filesWrittenThroughMemory(session: Session, hot: boolean, show: Show): Promise<ReadonlySet<string>> {
  try {
    return await mappedFiles(session);
  } catch (error) {
    if (hot || !(error instanceof P2cError) || error.code !== 'source.mapped') throw error;
    show.note(error.message);
    return new Set();
  }
}

interface Planned {
  readonly plan: CapturePlan;
  /** The listing that the plan was made of. */
  readonly scanned: ScannedListing;
}

function ofSurvey({ plan, scanned }: Survey): Planned {
  return { plan, scanned };
}

/** What the applications wrote while they stopped belongs to the capture: the listing is made anew. */
async function planAgain(request: MigrationRequest, surveyed: Survey, show: Show, work: WorkFolder): Promise<Planned> {
  return show.stage(
    LIST_AGAIN,
    async (tell) => {
      const input: ListInput = { ...patienceOf(request, show), ...surveyed, reason: ' again' };
      const scanned = await listFilesystems(input, await work.sub('stopped'), tell);
      requireSameMounts(surveyed.scanned, scanned);
      const plan = await planCapture({ ...request, ...surveyed, scanned }, await work.sub('stopped-plan'));
      return { scanned, plan };
    },
    ({ plan }) => describePlan(plan),
  );
}
