/** What the read-only half of a run found: the body of an audit, and the beginning of a migration's report. */
import type { Anatomy, HazardKind } from '../listing/anatomy.ts';
import type { CapturePlan } from '../listing/plan.ts';
import type { Rule } from '../listing/rules.ts';
import { type ByteString, printable, printablePath } from '../printable.ts';
import type { Detection } from '../profiles/detect.ts';
import type { Profile } from '../profiles/schema.ts';
import type { DuplicateAudit } from '../source/audit.ts';
import type { SourceFacts } from '../source/facts.ts';
import type { UnanchoredLoss } from '../source/unanchored.ts';
import type { LedgerEntry } from '../ssh/session.ts';
import { describeApplications, type RecognisedApplication, recognised } from './applications.ts';
import { type CaptureNeeds, captureNeeds, describeNeeds } from './needs.ts';
import { describeAnatomy, describeHollow, describeLosses, describeUnused, describeWhy } from './survey-sections.ts';
import { table } from './table.ts';
import { describeTools, type ToolsReport, toolsReport } from './tools-report.ts';
import { formatBytes, formatCount } from './units.ts';

/** Names are printed forms: UTF-8, with what a terminal would obey escaped. */
export interface SurveyReport {
  readonly source: {
    readonly target: string;
    readonly hostname: string;
    readonly distribution: string;
    readonly kernel: string;
    readonly machine: string;
  };
  /** What the source's programs are, and what was chosen because of it. */
  readonly tools: ToolsReport;
  readonly filesystems: readonly {
    readonly mountPoint: string;
    readonly type: string;
    readonly device: string;
    readonly verdict: string;
    readonly reason: string;
  }[];
  /** What shipped profiles recognise on the source; empty where profiles were named. */
  readonly applications: readonly RecognisedApplication[];
  /** Names of the profiles that apply, in the order in which a migration stops their applications. */
  readonly profiles: readonly string[];
  readonly listing: { readonly entries: number; readonly problems: readonly string[] };
  readonly duplicates: {
    readonly total: number;
    readonly byCause: Readonly<Record<string, number>>;
    readonly paths: readonly { readonly path: string; readonly count: number; readonly cause: string }[];
  };
  readonly capture: {
    readonly entries: number;
    readonly bytes: number;
    readonly tarBytes: number;
    readonly parts: number;
  };
  readonly needs: CaptureNeeds;
  readonly excluded: readonly {
    readonly rule: string;
    readonly reason: string;
    readonly entries: number;
    readonly bytes: number;
    /** The first of the paths. */
    readonly examples: readonly string[];
  }[];
  /** Rules of the command line, the inventory and profiles that decide for no path. */
  readonly unusedRules: readonly string[];
  /** Of what would be captured. */
  readonly anatomy: {
    readonly tops: readonly { readonly path: string; readonly entries: number; readonly bytes: number }[];
    readonly largest: readonly { readonly path: string; readonly bytes: number }[];
    readonly hazards: readonly {
      readonly kind: HazardKind;
      readonly entries: number;
      /** The first of the paths. */
      readonly examples: readonly string[];
    }[];
  };
  /** What the usual hand-typed tar, with its unanchored excludes, would lose. */
  readonly unanchored: readonly {
    readonly exclude: string;
    readonly entries: number;
    readonly examples: readonly string[];
  }[];
  /** Answers to --why. */
  readonly why: readonly {
    readonly path: string;
    readonly verdict: string;
    readonly rule: string | null;
    readonly reason: string;
  }[];
  readonly ledger: readonly LedgerEntry[];
}

/** What would become of one path. */
export interface Explanation {
  readonly path: ByteString;
  readonly verdict: 'captured' | 'left out' | 'not captured' | 'not seen' | 'not there';
  readonly rule?: string;
  readonly reason: string;
}

/** What one walk over the listing found. */
export interface AuditedListing {
  readonly duplicates: DuplicateAudit;
  readonly anatomy: Anatomy;
  readonly losses: readonly UnanchoredLoss[];
  readonly explanations: readonly Explanation[];
}

export interface SurveyFindings {
  readonly target: string;
  readonly facts: SourceFacts;
  readonly detections: readonly Detection[];
  readonly profiles: readonly Profile[];
  readonly entries: number;
  readonly problems: readonly string[];
  readonly audited: AuditedListing;
  readonly unusedRules: readonly Rule[];
  readonly plan: Pick<CapturePlan, 'entries' | 'bytes' | 'tarBytes' | 'excluded'>;
  /** How many the capture will have; an audit's are reckoned. */
  readonly layers: number;
  readonly ledger: readonly LedgerEntry[];
}

export function surveyReport(findings: SurveyFindings): SurveyReport {
  const { facts, plan, layers, audited, unusedRules } = findings;
  const { duplicates, anatomy, losses, explanations } = audited;
  return {
    source: {
      target: findings.target,
      hostname: printable(facts.hostname),
      distribution: printable(facts.distribution),
      kernel: printable(facts.kernel),
      machine: printable(facts.machine),
    },
    tools: toolsReport(facts.tools),
    filesystems: facts.filesystems.map((mount) => ({
      mountPoint: printablePath(mount.mountPoint),
      type: printable(mount.type),
      device: printablePath(mount.source),
      verdict: mount.verdict,
      reason: printable(mount.reason),
    })),
    applications: findings.detections.map(recognised),
    profiles: findings.profiles.map(({ name }) => name),
    listing: { entries: findings.entries, problems: findings.problems.map((line) => printable(line)) },
    duplicates: {
      total: duplicates.total,
      byCause: duplicates.byCause,
      paths: duplicates.duplicates.map(({ path, count, cause }) => ({ path: printablePath(path), count, cause })),
    },
    capture: { entries: plan.entries, bytes: plan.bytes, tarBytes: plan.tarBytes, parts: layers },
    needs: captureNeeds(plan.tarBytes),
    excluded: plan.excluded.map(({ rule, entries, bytes, examples }) => ({
      rule: printable(rule.id),
      reason: printable(rule.reason),
      entries,
      bytes,
      examples: examples.map(printablePath),
    })),
    unusedRules: unusedRules.map(({ id }) => printable(id)),
    anatomy: {
      tops: anatomy.tops.map(({ path, ...top }) => ({ path: printablePath(path), ...top })),
      largest: anatomy.largest.map(({ path, size }) => ({ path: printablePath(path), bytes: size })),
      hazards: anatomy.hazards.map(({ kind, entries, examples }) => ({
        kind,
        entries,
        examples: examples.map(printablePath),
      })),
    },
    unanchored: losses.map(({ exclude, entries, examples }) => ({
      exclude,
      entries,
      examples: examples.map(printablePath),
    })),
    why: explanations.map(({ path, verdict, rule = null, reason }) => ({
      path: printablePath(path),
      verdict,
      rule: rule === null ? null : printable(rule),
      reason: printable(reason),
    })),
    ledger: [...findings.ledger],
  };
}

/** The page `p2c audit` prints. `width` is the terminal's. */
export function describeSurvey(report: SurveyReport, width: number): string {
  if (report.why.length > 0) return describeWhy(report).join('\n');
  return [
    ...describeSource(report),
    ...describeApplications(report),
    '',
    'Mounts',
    ...mountRows(report, width),
    '',
    ...describeDuplicates(report),
    '',
    'Left out by rule',
    ...exclusionRows(report, width),
    ...describeHollow(report),
    ...describeUnused(report),
    '',
    ...describeAnatomy(report, width),
    '',
    ...describeLosses(report),
    ...describeCaptured(report),
  ].join('\n');
}

function describeSource({ source, tools, listing }: SurveyReport): string[] {
  return [
    `${source.hostname} (${source.target}): ${source.distribution}, kernel ${source.kernel}, ${source.machine}`,
    describeTools(tools),
    `${formatCount(listing.entries, 'entry', 'entries')} on its filesystems`,
    ...listing.problems.slice(0, 10).map((problem) => `  could not be looked at: ${problem}`),
  ];
}

/** Pseudo filesystems are many and alike: one line for all of them. */
function mountRows(report: SurveyReport, width: number): string[] {
  const told = report.filesystems.filter((mount) => mount.verdict !== 'pseudo' && mount.verdict !== 'hidden');
  const untold = report.filesystems.length - told.length;
  const rows = told.map((mount) => [mount.mountPoint, mount.type, mount.verdict, mount.reason]);
  const lines = table(rows, ['MOUNT POINT', 'TYPE', 'VERDICT', 'REASON'], width).split('\n');
  return untold === 0
    ? lines
    : [...lines, `and ${formatCount(untold, 'mount')} made by the kernel or hidden under another`];
}

function describeDuplicates({ duplicates }: SurveyReport): string[] {
  if (duplicates.total === 0) return ['Duplicates: a tar over all mounts would hold no path twice'];
  const shown = duplicates.paths.slice(0, 20);
  const causes = Object.entries(duplicates.byCause).filter(([, count]) => count > 0);
  return [
    `Duplicates: a tar over all mounts would hold ${formatCount(duplicates.total, 'path')} more than once, and importers refuse it`,
    ...causes.map(([cause, count]) => `  ${formatCount(count, 'path')}: ${cause}`),
    ...shown.map(({ path, count, cause }) => `  ${count} x ${path} (${cause})`),
    ...(duplicates.total > shown.length ? [`  and ${formatCount(duplicates.total - shown.length, 'path')} more`] : []),
  ];
}

function exclusionRows({ excluded }: SurveyReport, width: number): string[] {
  if (excluded.length === 0) return ['nothing'];
  const rows = excluded.map((item) => [
    item.entries.toLocaleString('en-US'),
    formatBytes(item.bytes),
    item.rule,
    item.reason,
  ]);
  return table(rows, ['ENTRIES', 'BYTES', 'RULE', 'REASON'], width).split('\n');
}

function describeCaptured({ capture, needs }: SurveyReport): string[] {
  const { entries, bytes, tarBytes, parts } = capture;
  return [
    `To capture: ${formatCount(entries, 'entry', 'entries')}, ${formatBytes(bytes)} of content, ${formatBytes(tarBytes)} on disk in ${formatCount(parts, 'layer')}`,
    describeNeeds(needs),
  ];
}
