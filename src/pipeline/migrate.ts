/** The whole way from a running server to an image in the store. Read from the top: this is the table of contents. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError } from '../errors.ts';
import type { CapturePlan } from '../listing/plan.ts';
import type { Listing } from '../listing/storage.ts';
import type { Image } from '../oci/image.ts';
import { ImageStore } from '../oci/store.ts';
import { type Quiesced, quiesce, type ResumeReport } from '../profiles/quiesce.ts';
import type { MigrationReport } from '../report/migration-report.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../report/units.ts';
import { requireTar } from '../source/tools.ts';
import type { MigrationRequest } from './request.ts';
import { Belongings } from './rollback.ts';
import type { Show } from './stage.ts';
import { importImage } from './stages/import.ts';
import { listFilesystems } from './stages/list.ts';
import { migrationReport } from './stages/report.ts';
import { type Settled, settle } from './stages/settle.ts';
import { type CapturedLayers, streamParts } from './stages/stream.ts';
import { describePlan, planCapture, SURVEY_STAGES, type Survey, survey } from './survey.ts';
import { WorkFolder } from './work-folder.ts';

export const MIGRATION_STAGES = [
  ...SURVEY_STAGES,
  'Stop the applications',
  'List the files again',
  'Stream the files',
  'Settle what moved meanwhile',
  'Start the applications again',
  'Import the image',
] as const;

/**
 * Runs the pipeline. Whatever it stopped on the source is started again on every way out, and no image is visible in
 * the store before it is whole.
 */
export async function migrate(request: MigrationRequest, show: Show, signal: AbortSignal): Promise<MigrationReport> {
  await using held = new Belongings();
  const started = new Date();
  const store = held.use(await ImageStore.open(request.storeRoot, { create: true }));
  const work = held.use(await WorkFolder.create(join(store.root, 'tmp')));
  const surveyed = await survey(request, show, held, work);
  signal.throwIfAborted();
  requireTar(surveyed.facts.tools, request.target.name);
  await requireSpace(store.root, surveyed.plan);
  const stopped = await stopApplications(request, surveyed, show, held, signal);
  const { plan, listing } = stopped === undefined ? ofSurvey(surveyed) : await planAgain(surveyed, show, work);
  const { session, facts, rules } = surveyed;
  const untilLost = stopped === undefined ? signal : AbortSignal.any([signal, stopped.lost]);
  const captured = await show.stage(
    'Stream the files',
    (tell) => streamParts(session, facts, plan, store, tell, untilLost),
    describeCapture,
  );
  const settled = await show.stage(
    'Settle what moved meanwhile',
    (tell) =>
      settle(
        { session, facts, rules, streamed: listing, store, work, rounds: request.settle, signal: untilLost },
        tell,
      ),
    describeSettled,
  );
  const resumed = await startApplications(stopped, show);
  const image = await show.stage(
    'Import the image',
    () => importImage(store, request, facts, [...captured.layers, ...settled.layers], started),
    ({ reference, digest }) => `${reference} ${digest}`,
  );
  if (resumed instanceof Error) throw startFailed(resumed, image);
  return migrationReport({ request, started, surveyed, plan, captured, settled, resumed, image });
}

/** Before anything is stopped: a store that fills up after an hour would have cost that hour of downtime. */
async function requireSpace(root: string, plan: CapturePlan): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free > plan.tarBytes * 1.02) return;
  throw new P2cError(`the image needs ${formatBytes(plan.tarBytes)} and ${root} has ${formatBytes(free)} free`, {
    code: 'store.full',
    hint: 'free some space, set P2C_ROOT to a larger filesystem, or leave more out with --exclude',
  });
}

async function stopApplications(
  request: MigrationRequest,
  { session }: Survey,
  show: Show,
  held: Belongings,
  signal: AbortSignal,
): Promise<Quiesced | undefined> {
  if (!request.stop || request.profiles.length === 0) return undefined;
  const onEvent = (line: string): void => show.note(line);
  return show.stage(
    'Stop the applications',
    async () => held.use(await quiesce(session, request.profiles, { leaseMs: request.leaseMs, signal, onEvent })),
    ({ stopped }) => (stopped.length === 0 ? 'none of them runs' : stopped.join(', ')),
  );
}

interface Planned {
  readonly plan: CapturePlan;
  /** The listing that the plan was made of. */
  readonly listing: Listing;
}

function ofSurvey({ plan, scanned }: Survey): Planned {
  return { plan, listing: scanned.listing };
}

/** What the applications wrote while they stopped belongs to the capture: the listing is made anew. */
async function planAgain(surveyed: Survey, show: Show, work: WorkFolder): Promise<Planned> {
  return show.stage(
    'List the files again',
    async (tell) => {
      const { filesystems } = surveyed.facts;
      const scanned = await listFilesystems(surveyed.session, filesystems, await work.sub('stopped'), 'stopped', tell);
      const plan = await planCapture(scanned, surveyed.rules, await work.sub('stopped-plan'));
      return { listing: scanned.listing, plan };
    },
    ({ plan }) => describePlan(plan),
  );
}

function describeCapture({ account }: CapturedLayers): string {
  const took = formatDuration(account.milliseconds);
  return `${formatBytes(account.bytes)} in ${took}, ${formatRate(account.bytes, account.milliseconds)}`;
}

function describeSettled({ report }: Settled): string {
  const { rounds, changed, removed, stillMoving } = report;
  if (rounds === 0 && stillMoving === 0) return 'nothing did';
  const moving = stillMoving === 0 ? '' : `; ${formatCount(stillMoving, 'path')} still move`;
  return `${formatCount(changed, 'path')} fetched again, ${removed} gone, in ${formatCount(rounds, 'round')}${moving}`;
}

/** A start that fails does not cost the capture: the image is made first, and the failure ends the run. */
async function startApplications(stopped: Quiesced | undefined, show: Show): Promise<ResumeReport | Error | undefined> {
  if (stopped === undefined) return undefined;
  try {
    const report = await show.stage(
      'Start the applications again',
      () => stopped.resume(),
      ({ applications }) =>
        applications.map((app) => `${app.name} was down ${formatDuration(app.downMs)}`).join(', ') ||
        'none was stopped',
    );
    for (const note of report.notes) show.note(note);
    return report;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function startFailed(error: Error, image: Image): P2cError {
  return new P2cError(`the image ${image.reference} was made, but on the source: ${error.message}`, {
    code: error instanceof P2cError ? error.code : 'quiesce.start-failed',
    ...(error instanceof P2cError && error.hint !== undefined ? { hint: error.hint } : {}),
    cause: error,
  });
}
