/** The read-only half of every pipeline: connect, look, list, audit, decide. `audit` ends here; `migrate` goes on. */
import { complaintsThatMatter } from '../listing/blind-spots.ts';
import type { Entry } from '../listing/entry.ts';
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
import { gatherFacts, readFilesystems, type SourceFacts } from '../source/facts.ts';
import { type Filesystem, restlessPaths } from '../source/filesystems.ts';
import type { Session } from '../ssh/session.ts';
import { chooseWire, type Wire } from '../ssh/wire.ts';
import { Ahead } from './ahead.ts';
import { type Grounds, type Judged, Judgement } from './judgement.ts';
import { openSource } from './open-source.ts';
import type { SurveyRequest } from './request.ts';
import { patienceOf, retrying } from './retry.ts';
import type { Belongings } from './rollback.ts';
import type { Show } from './stage.ts';
import { listCommand } from './stages/finds.ts';
import { HeadStart } from './stages/head-start.ts';
import { listFilesystems, type ScannedListing } from './stages/list.ts';
import { leftOutBy, rulesOf } from './stages/rules.ts';
import { APPLY_RULES, AUDIT_DUPLICATES, FIND_FILESYSTEMS, LIST_FILES, RECOGNISE } from './titles.ts';
import type { WorkFolder } from './work-folder.ts';

const ROOT = '/' as ByteString;

export interface Survey extends Recognised {
  readonly session: Session;
  readonly facts: SourceFacts;
  readonly scanned: ScannedListing;
  readonly audited: Judged;
  readonly plan: CapturePlan;
}

/** Connects, and runs all stages. The session is given back with `held`. */
export async function survey(request: SurveyRequest, show: Show, held: Belongings, work: WorkFolder): Promise<Survey> {
  rulesOf(request);
  const session = await openSource(request, show, held);
  return surveyFrom(beginSurvey(session, request, show), request, show, work);
}

/** What is asked of a source at once, each waited for where it is needed. */
export interface Beginning {
  readonly session: Session;
  /** Listing begins as soon as they are known. */
  readonly filesystems: Promise<readonly Filesystem[]>;
  readonly facts: Promise<SourceFacts>;
  readonly detecting: Promise<readonly Detection[]>;
  readonly listing: HeadStart;
}

/** Runs stage 1 over an open session, and begins to recognise. */
export function beginSurvey(session: Session, request: SurveyRequest, show: Show): Beginning {
  const leftOut = leftOutBy(request);
  const filesystems = readFilesystems(session, leftOut);
  const facts = show.stage(FIND_FILESYSTEMS, () => gatherFacts(session, filesystems), describeFacts);
  const detecting = lookForApplications(session, request);
  // The last of them: where there is room for one session only, a listing waits for what the others find out.
  const listing = new HeadStart(session, listCommand({ path: ROOT, what: 'filesystem' }, ''));
  // The rules are made while the server answers.
  const made = new Promise(setImmediate).then(() => leftOut(ROOT));
  // Where one fails, the others are waited for by nobody.
  for (const asked of [filesystems, facts, detecting, made]) asked.catch(() => {});
  return { session, filesystems, facts, detecting, listing };
}

async function lookForApplications(
  session: Session,
  { recognise: wanted, profiles }: SurveyRequest,
): Promise<readonly Detection[]> {
  if (wanted) return recognise(session, listProfiles());
  await requireAskedServices(session, profiles);
  return [];
}

/** What decides about the files. */
export interface Recognised {
  /** What was looked for and found; empty where the profiles were named. */
  readonly detections: readonly Detection[];
  /** Those that apply, in the order of the stop. */
  readonly profiles: readonly Profile[];
  readonly rules: RuleSet;
}

/** Runs stage 2. */
export async function recogniseApplications(
  { facts: gathering, detecting }: Beginning,
  request: SurveyRequest,
  show: Show,
): Promise<Recognised> {
  const facts = await gathering;
  const detections = await (request.recognise ? show.stage(RECOGNISE, () => detecting, describeDetections) : detecting);
  const profiles = request.recognise ? applicable(detections) : request.profiles;
  const rules = rulesOf({ ...request, profiles }, facts, (line) => show.note(line));
  return { detections, profiles, rules };
}

/** Runs stages 2 to 5. */
export async function surveyFrom(
  beginning: Beginning,
  request: SurveyRequest,
  show: Show,
  work: WorkFolder,
): Promise<Survey> {
  const { session } = beginning;
  const patience = patienceOf(request, show);
  const directory = await work.sub('survey');
  const filesystems = await beginning.filesystems;
  const early = earlyRules(request, filesystems);
  const { listing: begun } = beginning;
  await using listing = new Ahead(patience.signal, (tell, signal) =>
    listFilesystems(
      { ...patience, signal, session, facts: { filesystems }, rules: early, reason: '', begun },
      directory,
      tell,
    ),
  );
  const facts = await beginning.facts;
  const recognised = await recogniseApplications(beginning, request, show);
  const { profiles, rules } = recognised;
  const scanned = await show.stage(LIST_FILES, (tell) => listing.shown(tell), describeListing);
  rules.addUseOf(early);
  const audited = await show.stage(
    AUDIT_DUPLICATES,
    () => auditListing(scanned, { ...request, filesystems, rules, profiles }),
    ({ duplicates: { total } }) => `${formatCount(total, 'path')} a tar over all mounts would hold twice`,
  );
  const plan = await show.stage(
    APPLY_RULES,
    async () => planCapture({ ...request, profiles, scanned, rules, facts }, await work.sub('plan')),
    describePlan,
  );
  return { session, facts, ...recognised, scanned, audited, plan };
}

/** The rules while the files are listed: without those of profiles, which are not known yet. */
export function earlyRules(request: SurveyRequest, filesystems: readonly Filesystem[]): RuleSet {
  return rulesOf(request, { filesystems, swapFiles: [] });
}

function describeListing({ listing: { count } }: ScannedListing): string {
  return formatCount(count, 'entry', 'entries');
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
      if (rule === undefined || rule.action === 'include') bytes += rules.tarSize(entry);
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
