/** The whole way from a running server to an image in the store. Read from the top: this is the table of contents. */
import type { MigrationReport } from '../report/migration-report.ts';
import { LIST_AGAIN, planFiles, SETTLE, STREAM, settleFiles, streamFiles } from './capture.ts';
import { ACCOUNT, IMPORT, makeImage } from './make-image.ts';
import { forgetful, type Memory } from './memory.ts';
import type { MigrationRequest } from './request.ts';
import { holding } from './rollback.ts';
import { type Scene, type Surroundings, setScene } from './scene.ts';
import type { Show } from './stage.ts';
import { ADAPT } from './stages/adapt.ts';
import { BOOT, Booting } from './stages/boot.ts';
import { migrationReport } from './stages/report.ts';
import { Applications, LEAVE, START, STOP } from './stages/stop-and-start.ts';
import { agreeOnWire } from './survey.ts';
import { SURVEY_STAGES } from './titles.ts';

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
  return holding((held) => runStages(request, { show, signal, held, memory }));
}

async function runStages(asked: MigrationRequest, surroundings: Surroundings): Promise<MigrationReport> {
  const began = new Date();
  const scene = await setScene(asked, surroundings);
  const { request, survey, show } = scene;
  const booting = await Booting.prepare(scene);
  const wire = await agreeOnWire(request, survey, show);
  const applications = new Applications(scene);
  const capturing = { ...scene, booting, wire, applications };

  if (!request.hot) await applications.stop();
  const planned = await planFiles(capturing);
  const captured = await streamFiles(capturing, planned);
  if (request.hot) await applications.stop();
  const settled = await settleFiles(capturing, planned, captured);
  await releaseSource(scene, applications);

  const capture = { ...planned, captured, settled };
  // Where applications did not start again, the image is made all the same: there will be no second window soon.
  const unreadToo = request.skipUnreadable || applications.failure !== undefined;
  const made = await makeImage(scene, capture, unreadToo);
  await applications.requireStarted(made.image);
  if (request.leaveStopped) await applications.leave(made.image);
  const boot = await booting?.boot(made.image);
  return migrationReport({ request, began, survey, wire, ...capture, stopped: applications.report, ...made, boot });
}

/** All has been captured: what was stopped starts again, unless it is to stay down. @throws what interrupted the run. */
async function releaseSource({ request, signal }: Scene, applications: Applications): Promise<void> {
  await applications.confirm();
  if (!request.leaveStopped) await applications.start();
  // Whoever interrupted waited for the applications, and for no more.
  if (signal.aborted) throw applications.failure ?? signal.reason;
}
