/**
 * Repairs what moved while it was read. The listing is made again and compared with the one that was streamed; what
 * differs comes as a delta layer, what is gone is hidden by a whiteout, until nothing moves or the rounds are used up.
 */
import { BlindSpots } from '../../listing/blind-spots.ts';
import { Changes } from '../../listing/changes.ts';
import { makeDeltaPlan } from '../../listing/plan.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { VolumePlace } from '../../listing/trees.ts';
import type { Layer } from '../../oci/layer.ts';
import { printablePath } from '../../printable.ts';
import type { LayerLog } from '../../report/receipt/layers.ts';
import type { SettleReport } from '../../report/settle-report.ts';
import type { StreamAccount } from '../../report/stream-account.ts';
import { formatCount } from '../../report/units.ts';
import { restlessPaths } from '../../source/filesystems.ts';
import type { Tell } from '../stage.ts';
import type { WorkFolder } from '../work-folder.ts';
import { listFilesystems, requireSameMounts, type ScannedListing } from './list.ts';
import { type StreamInput, streamParts } from './stream.ts';
import type { VolumeStep } from './volumes.ts';

export interface SettleInput extends StreamInput {
  readonly rules: RuleSet;
  /** The listing whose plan was streamed. */
  readonly streamed: ScannedListing;
  /** What comes again in the first round: files written through memory while they were streamed, links without a target. */
  readonly suspects: ReadonlySet<string>;
  readonly work: WorkFolder;
  readonly rounds: number;
  readonly volumes: readonly VolumePlace[];
}

export interface Settled {
  /** To lie above the captured layers, in this order. */
  readonly layers: readonly Layer[];
  /** For the volumes beside the image. */
  readonly beside: readonly VolumeStep[];
  readonly accounts: readonly StreamAccount[];
  readonly logs: readonly LayerLog[];
  /** Those of the last look. */
  readonly lastChanges: Changes;
  readonly report: SettleReport;
  /** What the finds of its listings could not look at. */
  readonly problems: readonly string[];
}

export async function settle(input: SettleInput, tell: Tell): Promise<Settled> {
  const layers: Layer[] = [];
  const beside: VolumeStep[] = [];
  const accounts: StreamAccount[] = [];
  const logs: LayerLog[] = [];
  const problems = new Set<string>();
  const totals = { rounds: 0, changed: 0, removed: 0 };
  const troubled = new Set<string>();
  let before = input.streamed;
  let { suspects } = input;
  for (;;) {
    const { changes, after } = await look({ ...input, suspects }, before, totals.rounds, tell);
    // A listing is not ended by it, and with nothing to fetch nobody else would see it.
    input.signal.throwIfAborted();
    for (const problem of after.problems) problems.add(problem);
    if (changes.none || totals.rounds >= input.rounds) {
      const stillMoving = changes.counts.changed + changes.counts.removed;
      const paths = [...changes.examples, ...changes.gone].map(printablePath);
      const report = { ...totals, stillMoving, stillMovingPaths: paths };
      return { layers, beside, accounts, logs, lastChanges: changes, report, problems: [...problems] };
    }
    totals.rounds += 1;
    totals.changed += changes.counts.changed;
    totals.removed += changes.counts.removed;
    const folder = await input.work.sub(`delta-${totals.rounds}`);
    const plan = await makeDeltaPlan(changes, input.rules, folder, input.volumes);
    const places = new Set([...input.scanned.places, ...after.places]);
    const captured = await streamParts({ ...input, scanned: { starts: after.starts, places } }, plan, tell);
    layers.push(...captured.layers);
    beside.push(...captured.beside);
    accounts.push(captured.account);
    logs.push(...captured.logs);
    before = after;
    suspects = totals.rounds < input.rounds ? askedOnce([...captured.again, ...captured.lost], troubled) : new Set();
  }
}

/**
 * What a delta was to hold, and does not or not whole: it may come now, though it moves no more. Once each: the next round
 * would be no better. After the last round it is no suspect, for then it would seem to move; the receipt tells of it.
 */
function askedOnce(paths: readonly string[], before: Set<string>): ReadonlySet<string> {
  const asked = new Set(paths.filter((path) => !before.has(path)));
  for (const path of asked) before.add(path);
  return asked;
}

async function look(
  input: SettleInput,
  before: ScannedListing,
  round: number,
  tell: Tell,
): Promise<{ changes: Changes; after: ScannedListing }> {
  const { facts, rules, work, suspects } = input;
  const folder = await work.sub(`settle-${round}`);
  const after = await listFilesystems({ ...input, reason: ' to see what moved' }, folder, tell);
  requireSameMounts(before, after);
  const restless = restlessPaths(facts.filesystems, { places: [...before.places, ...after.places] });
  // A second less, for what lies between the two clocks' readings.
  const racySince = before.startedAt / 1000 + facts.clockAhead - 1;
  const blindSpots = new BlindSpots(after.problems, after.covered);
  const grounds = { restless, suspects, blindSpots, racySince };
  return { changes: await Changes.between(before.listing, after.listing, rules, grounds), after };
}

/** The stage's last line. */
export function describeSettled({ report }: Settled): string {
  const { rounds, changed, removed, stillMoving } = report;
  if (rounds === 0 && stillMoving === 0) return 'nothing did';
  const moving = stillMoving === 0 ? '' : `; ${formatCount(stillMoving, 'path')} still move`;
  return `${formatCount(changed, 'path')} fetched again, ${removed} gone, in ${formatCount(rounds, 'round')}${moving}`;
}
