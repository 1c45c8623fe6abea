/** What `p2c inspect` tells: the facts, the verdict, and the plan that follows from them. */
import type { Proposal } from '../advice/proposal.ts';
import { hasBlindSpots, type Verdict } from '../advice/verdict.ts';
import { ExitCode } from '../errors.ts';
import type { Machine } from '../runtime/machine/machine.ts';
import type { SourceFacts } from '../source/facts.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { LedgerEntry } from '../ssh/session.ts';
import { type ToolsReport, toolsReport } from './tools-report.ts';

export interface InspectReport {
  readonly target: string;
  /** ISO 8601. */
  readonly at: string;
  readonly facts: Inspection;
  readonly tools: ToolsReport;
  readonly machine: Pick<Machine, 'architecture' | 'kernel' | 'root' | 'vsyscall' | 'ia32' | 'cgroups'>;
  readonly verdict: Verdict;
  readonly proposal: Proposal;
  readonly ledger: readonly LedgerEntry[];
}

export interface InspectFindings {
  readonly target: string;
  readonly inspection: Inspection;
  readonly facts: SourceFacts;
  readonly machine: Machine;
  readonly verdict: Verdict;
  readonly proposal: Proposal;
  readonly ledger: readonly LedgerEntry[];
}

export function inspectReport(findings: InspectFindings, now = new Date()): InspectReport {
  const { architecture, kernel, root, vsyscall, ia32, cgroups } = findings.machine;
  return {
    target: findings.target,
    at: now.toISOString(),
    facts: findings.inspection,
    tools: toolsReport(findings.facts.tools),
    machine: { architecture, kernel, root, vsyscall, ia32, cgroups },
    verdict: findings.verdict,
    proposal: findings.proposal,
    ledger: [...findings.ledger],
  };
}

/** Blind spots before a NO: what was not seen may be the reason for it, and may hide others. */
export function inspectExitCode({
  facts,
  verdict,
}: Pick<InspectReport, 'verdict'> & { facts: { root: boolean } }): ExitCode {
  if (hasBlindSpots(facts, verdict)) return ExitCode.blindSpots;
  return verdict.answer === 'will not' ? ExitCode.differences : ExitCode.done;
}
