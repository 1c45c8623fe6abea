/** The read-only half of every pipeline: connect, look, list, audit, decide. `audit` ends here; `migrate` goes on. */
import { complaintsThatMatter } from '../listing/blind-spots.ts';
import type { Entry } from '../listing/entry.ts';
import { tarSize } from '../listing/entry.ts';
import { type CapturePlan, makePlan, partBytesFor } from '../listing/plan.ts';
import type { RuleSet } from '../listing/rules.ts';
import type { ByteString } from '../printable.ts';
import { requireAskedServices } from '../profiles/asked-services.ts';
import type { Detection } from '../profiles/detect.ts';
import { listProfiles } from '../profiles/load.ts';
import { applicable, recognise } from '../profiles/recognise.ts';
import type { Profile } from '../profiles/schema.ts';
import { volumePlaces } from '../profiles/volumes.ts';
import { describeDetections } from '../report/applications.ts';
import type { SurveyFindings } from '../report/survey-report.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { gatherFacts, type SourceFacts } from '../source/facts.ts';
import { restlessPaths } from '../source/filesystems.ts';
import { LastingSession } from '../ssh/lasting-session.ts';
import { requirePrivilege } from '../ssh/privilege.ts';
import type { Session } from '../ssh/session.ts';
import { chooseWire, type Wire } from '../ssh/wire.ts';
import { Ahead } from './ahead.ts';
import { type Grounds, type Judged, Judgement } from './judgement.ts';
import type { SurveyRequest } from './request.ts';
import { type Patience, retrying } from './retry.ts';
import type { Belongings } from './rollback.ts';
import type { Show, Tell } from './stage.ts';
import { listFilesystems, type ScannedListing } from './stages/list.ts';
import { rulesOf } from './stages/rules.ts';
import type { WorkFolder } from './work-folder.ts';

export const RECOGNISE = 'Recognise the applications';

/** Titles of the stages; `Connect` is not among them, for it may ask for a password. */
export const SURVEY_STAGES = [
  'Find the mounted filesystems',
  RECOGNISE,
  'List the files',
  'Audit duplicates',
  'Apply the rules',
] as const;

export interface Survey extends Beginning, Recognised {
  readonly scanned: ScannedListing;
  readonly audited: Judged;
  readonly plan: CapturePlan;
}

/** Runs stages 1 to 5. The session is given back with `held`. */
export async function survey(request: SurveyRequest, show: Show, held: Belongings, work: WorkFolder): Promise<Survey> {
  return surveyFrom(await beginSurvey(request, show, held), request, show, work);
}

/** What is known of a source before anything is asked about its files. */
export interface Beginning {
  readonly session: Session;
  readonly facts: SourceFacts;
}

/** Runs stages 1 and 2. The session is given back with `held`. */
export async function beginSurvey(request: SurveyRequest, show: Show, held: Belongings): Promise<Beginning> {
  rulesOf(request);
  const note: Tell = (line) => show.note(line);
  const session = await show.stage(
    'Connect',
    () => connectPrivileged(request, note),
    (open) => `as ${open.target.user}`,
  );
  held.use(session);
  return {
    session,
    facts: await show.stage('Find the mounted filesystems', () => gatherFacts(session), describeFacts),
  };
}

/** What decides about the files. */
export interface Recognised {
  /** What was looked for and found; empty where the profiles were named. */
  readonly detections: readonly Detection[];
  /** Those that apply, in the order of the stop. */
  readonly profiles: readonly Profile[];
  readonly rules: RuleSet;
}

/** Runs stage 3. */
export async function recogniseApplications(
  { session, facts }: Beginning,
  request: SurveyRequest,
  show: Show,
): Promise<Recognised> {
  const detections = request.recognise
    ? await show.stage(RECOGNISE, () => recognise(session, listProfiles()), describeDetections)
    : [];
  const profiles = request.recognise ? applicable(detections) : request.profiles;
  await requireAskedServices(session, profiles);
  const rules = rulesOf({ ...request, profiles }, facts, (line) => show.note(line));
  return { detections, profiles, rules };
}

/** Runs stages 3 to 5. */
export async function surveyFrom(
  beginning: Beginning,
  request: SurveyRequest,
  show: Show,
  work: WorkFolder,
): Promise<Survey> {
  const { session, facts } = beginning;
  const patience = patienceOf(request, show);
  const directory = await work.sub('survey');
  // Without those of profiles, which are not known yet.
  const early = rulesOf(request, facts);
  await using listing = new Ahead(patience.signal, (tell, signal) =>
    listFilesystems({ ...patience, signal, session, facts, rules: early, reason: '' }, directory, tell),
  );
  const recognised = await recogniseApplications(beginning, request, show);
  const { profiles, rules } = recognised;
  const scanned = await show.stage('List the files', (tell) => listing.shown(tell), describeListing);
  rules.addUseOf(early);
  const audited = await show.stage(
    'Audit duplicates',
    () => auditListing(scanned, { ...request, filesystems: facts.filesystems, rules, profiles }),
    ({ duplicates: { total } }) => `${formatCount(total, 'path')} a tar over all mounts would hold twice`,
  );
  const plan = await show.stage(
    'Apply the rules',
    async () => planCapture({ ...request, profiles, scanned, rules, facts }, await work.sub('plan')),
    describePlan,
  );
  return { session, facts, ...recognised, scanned, audited, plan };
}

function describeListing({ listing: { count } }: ScannedListing): string {
  return formatCount(count, 'entry', 'entries');
}

/** How a request wants what a moment's trouble spoilt to be tried again. */
export function patienceOf({ connect: { retries, signal } }: SurveyRequest, show: Show): Patience {
  return { retries, note: (line) => show.note(line), ...(signal === undefined ? {} : { signal }) };
}

/** The session is the caller's to give back. */
export async function connectPrivileged(
  request: Pick<SurveyRequest, 'target' | 'connect'>,
  onTrouble: Tell,
): Promise<Session> {
  const session = await LastingSession.open(request.target, { ...request.connect, onTrouble });
  try {
    requirePrivilege(session);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

function describeFacts(facts: SourceFacts): string {
  const included = facts.filesystems.filter((mount) => mount.verdict === 'included').length;
  return `${included} of ${formatCount(facts.filesystems.length, 'mount')}, ${facts.distribution}`;
}

/** One walk over the listing, for all that an audit tells. */
async function auditListing({ listing, problems }: ScannedListing, grounds: Grounds): Promise<Judged> {
  const judgement = new Judgement(grounds);
  const walk = judgement.walk('/' as ByteString);
  for await (const batch of listing.batches()) {
    for (const entry of batch) walk.add(entry);
    await judgement.drain();
  }
  return judgement.result(problems);
}

export interface PlanInput extends Pick<SurveyRequest, 'partSize' | 'profiles'> {
  readonly scanned: ScannedListing;
  readonly rules: RuleSet;
  readonly facts: Pick<SourceFacts, 'filesystems'>;
}

/** Cut so that there are not too many parts. Only where all together is large does it matter what the rules leave. */
export async function planCapture(input: PlanInput, directory: string): Promise<CapturePlan> {
  const { scanned, rules, facts, partSize, profiles } = input;
  const { listing, tarBytes } = scanned;
  const bytesFor = (total: number): number => partBytesFor(total, partSize);
  const most = bytesFor(tarBytes);
  const included = most === bytesFor(0) ? 0 : await includedTarBytes(listing.batches(), rules);
  const restless = restlessPaths(facts.filesystems, scanned);
  return makePlan(listing.batches(), rules, directory, {
    partBytes: included === 0 ? most : bytesFor(included),
    restless,
    volumes: volumePlaces(profiles),
  });
}

async function includedTarBytes(batches: AsyncIterable<readonly Entry[]>, rules: RuleSet): Promise<number> {
  let bytes = 0;
  for await (const batch of batches) {
    for (const entry of batch) {
      const rule = rules.decide(entry);
      if (rule === undefined || rule.action === 'include') bytes += tarSize(entry, rules.writesHoles);
    }
  }
  return bytes;
}

/** How the capture will travel; measured, where that is left to p2c, before anything is stopped. */
export async function agreeOnWire(request: SurveyRequest, { session, plan }: Survey, show: Show): Promise<Wire> {
  const choosing = (): Promise<Wire> => chooseWire(session, request.connect.compress ?? 'auto', plan.tarBytes);
  const wire = await retrying('measuring the link', patienceOf(request, show), choosing);
  if (wire.measured.length > 0) show.note(`compression ${wire.compression}: ${wire.reason}`);
  return wire;
}

export function describePlan(plan: CapturePlan): string {
  const left = plan.excluded.reduce((sum, item) => sum + item.entries, 0);
  return `${formatCount(plan.entries, 'entry', 'entries')} and ${formatBytes(plan.bytes)} to capture, ${formatCount(left, 'entry', 'entries')} left out`;
}

/** What the survey's report is made of. */
export function findingsOf(request: SurveyRequest, surveyed: Survey): SurveyFindings {
  const { session, facts, detections, profiles, rules, scanned, audited, plan } = surveyed;
  return {
    target: request.target.name,
    facts,
    detections,
    profiles,
    entries: scanned.listing.count,
    problems: complaintsThatMatter(scanned.problems, rules),
    audited,
    unusedRules: rules.unused,
    plan,
    layers: plan.parts.length,
    ledger: session.ledger,
  };
}
