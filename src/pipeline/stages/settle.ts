/**
 * Repairs what moved while it was read. The listing is made again and compared with the one that was streamed; what
 * differs comes as a delta layer, what is gone is hidden by a whiteout, until nothing moves or the rounds are used up.
 */
import { Changes } from '../../listing/changes.ts';
import { makeDeltaPlan } from '../../listing/plan.ts';
import type { RuleSet } from '../../listing/rules.ts';
import type { Listing } from '../../listing/storage.ts';
import type { Layer } from '../../oci/layer.ts';
import type { ImageStore } from '../../oci/store.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import type { SettleReport } from '../../report/settle-report.ts';
import type { StreamAccount } from '../../report/stream-account.ts';
import type { SourceFacts } from '../../source/facts.ts';
import { restlessPaths } from '../../source/filesystems.ts';
import type { Session } from '../../ssh/session.ts';
import type { Tell } from '../stage.ts';
import type { WorkFolder } from '../work-folder.ts';
import { listFilesystems } from './list.ts';
import { streamParts } from './stream.ts';

export interface SettleInput {
  readonly session: Session;
  readonly facts: SourceFacts;
  readonly rules: RuleSet;
  /** The listing whose plan was streamed. */
  readonly streamed: Listing;
  /** Files that were written through memory while they were streamed: they come again in the first round. */
  readonly suspects: ReadonlySet<string>;
  readonly store: ImageStore;
  readonly work: WorkFolder;
  readonly rounds: number;
  readonly signal: AbortSignal;
}

export interface Settled {
  /** To lie above the captured layers, in this order. */
  readonly layers: readonly Layer[];
  readonly accounts: readonly StreamAccount[];
  readonly report: SettleReport;
}

export async function settle(input: SettleInput, tell: Tell): Promise<Settled> {
  const layers: Layer[] = [];
  const accounts: StreamAccount[] = [];
  const removed: ByteString[] = [];
  const totals = { rounds: 0, changed: 0, removed: 0 };
  let before = input.streamed;
  for (;;) {
    const { changes, after } = await look(input, before, totals.rounds, tell);
    removed.push(...changes.removed);
    if (changes.none || totals.rounds >= input.rounds) {
      const stillMoving = changes.counts.changed + changes.counts.removed;
      const paths = [...changes.examples, ...changes.removed].map(printablePath);
      return { layers, accounts, report: { ...totals, stillMoving, stillMovingPaths: paths, goneTop: removed } };
    }
    totals.rounds += 1;
    totals.changed += changes.counts.changed;
    totals.removed += changes.counts.removed;
    const { session, facts, rules, store, work, signal } = input;
    const plan = await makeDeltaPlan(changes, rules, await work.sub(`delta-${totals.rounds}`));
    const captured = await streamParts(session, facts, plan, store, tell, signal);
    layers.push(...captured.layers);
    accounts.push(captured.account);
    before = after;
  }
}

async function look(
  { session, facts, rules, work, suspects }: SettleInput,
  before: Listing,
  round: number,
  tell: Tell,
): Promise<{ changes: Changes; after: Listing }> {
  const name = `settle-${round}`;
  const { listing } = await listFilesystems(session, facts.filesystems, await work.sub(name), name, tell);
  const restless = restlessPaths(facts.filesystems);
  return {
    changes: await Changes.between(before, listing, rules, restless, round === 0 ? suspects : new Set()),
    after: listing,
  };
}
