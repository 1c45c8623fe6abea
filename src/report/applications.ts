/** The applications that profiles recognise on a source, told before any of them is stopped. */
import { printable } from '../printable.ts';
import type { Detection } from '../profiles/detect.ts';
import type { SurveyReport } from './survey-report.ts';

export interface RecognisedApplication {
  /** The profile's name. */
  readonly name: string;
  /** True where one of its processes runs. */
  readonly running: boolean;
  /** What it was recognised by: `process nginx`, `package nginx-light`. */
  readonly found: readonly string[];
}

export function recognised({ profile, running, reasons }: Detection): RecognisedApplication {
  return { name: profile.name, running, found: reasons.map((reason) => printable(reason)) };
}

/** One line: which run, and which are only there. */
export function describeDetections(detections: readonly Detection[]): string {
  const names = (running: boolean): string =>
    detections
      .filter((detection) => detection.running === running)
      .map(({ profile }) => profile.name)
      .join(', ');
  const [up, down] = [names(true), names(false)];
  const parts = [...(up === '' ? [] : [`running: ${up}`]), ...(down === '' ? [] : [`there, not running: ${down}`])];
  return parts.join('; ') || 'none that a shipped profile knows';
}

/** Lines for the page of an audit. */
export function describeApplications({
  applications,
  profiles,
}: Pick<SurveyReport, 'applications' | 'profiles'>): string[] {
  const found = applications.map(
    ({ name, running, found }) => `  ${name}: ${running ? 'runs' : 'does not run'} (${found.slice(0, 4).join(', ')})`,
  );
  const stops = profiles.length === 0 ? 'none' : profiles.join(', ');
  return [...(found.length === 0 ? [] : ['Applications recognised:', ...found]), `Profiles that apply: ${stops}`];
}
