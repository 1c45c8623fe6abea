/** Whether a server will live in a container on this machine: each reason a finding, from facts of both. */
import type { Machine } from '../runtime/machine/machine.ts';
import type { SourceFacts } from '../source/facts.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import { dataFindings } from './data-findings.ts';
import { hostFindings } from './host-findings.ts';
import { kernelFindings } from './kernel-findings.ts';
import { systemFindings } from './system-findings.ts';

/**
 * `works`: looked at, and well. `flag`: works with the option that is named. `look`: a person must see to it. `blocks`:
 * will not, as things are. `unknown`: could not be found out.
 */
export type FindingLevel = 'blocks' | 'flag' | 'look' | 'unknown' | 'works';

export interface Finding {
  /** Stable: `vsyscall`, `raw-devices`… */
  readonly id: string;
  readonly level: FindingLevel;
  /** One sentence or two: what was found, and what follows. */
  readonly message: string;
  /** The option of p2c that it needs: `run --device /dev/sdb`. */
  readonly flag?: string;
}

export interface Verdict {
  readonly answer: 'works' | 'needs a flag' | 'will not';
  /** The gravest first. */
  readonly findings: readonly Finding[];
}

export interface Situation {
  readonly facts: SourceFacts;
  readonly inspection: Inspection;
  readonly machine: Machine;
}

const ORDER: readonly FindingLevel[] = ['blocks', 'flag', 'look', 'unknown', 'works'];

export function judge(situation: Situation): Verdict {
  const found = [
    ...hostFindings(situation),
    ...systemFindings(situation),
    ...kernelFindings(situation),
    ...dataFindings(situation),
  ];
  const findings = ORDER.flatMap((level) => found.filter((finding) => finding.level === level));
  const has = (level: FindingLevel): boolean => findings.some((finding) => finding.level === level);
  return { answer: has('blocks') ? 'will not' : has('flag') ? 'needs a flag' : 'works', findings };
}

/** True where something was not found out: without root there, or for a reason that a finding names. */
export function hasBlindSpots(inspection: Pick<Inspection, 'root'>, { findings }: Pick<Verdict, 'findings'>): boolean {
  return !inspection.root || findings.some(({ level }) => level === 'unknown');
}
