/** The end of the page of `p2c inspect`: the proposed plan, and the verdict. */
import type { Proposal } from '../advice/proposal.ts';
import type { FindingLevel, Verdict } from '../advice/verdict.ts';
import { formatBytes } from './units.ts';

const CHURN_ROWS = 8;

export function describeProposal(proposal: Proposal): string[] {
  const { profiles, steps, unexplained, exclude, volumes, churn, ports } = proposal;
  return [
    'Proposed plan',
    ...list(
      'profile',
      profiles.map(({ name, running, reasons }) => `${name}${running ? '' : ' (does not run)'}: ${reasons.join(', ')}`),
    ),
    ...list(
      'stop and start',
      steps.map(
        ({ service, processes }) => `service ${service} (${processes.join(', ')}), which no shipped profile knows`,
      ),
    ),
    ...list('to be written by hand', unexplained),
    ...list(
      'leave out',
      exclude.map(({ path, reason }) => `${path}: ${reason}`),
    ),
    ...list(
      'volume',
      volumes.map(({ path, reason }) => `${path}: ${reason}`),
    ),
    ...list(
      'being written',
      churn.slice(0, CHURN_ROWS).map(({ folder, files, by }) => `${folder}: ${files} open, by ${by.join(', ')}`),
    ),
    ...list('publish', ports.length === 0 ? [] : [ports.map(({ port, protocol }) => `${port}/${protocol}`).join(' ')]),
    ...list('limits', limitWords(proposal.limits)),
  ];
}

function limitWords({ shm, ...limits }: Proposal['limits']): string[] {
  const words = Object.entries(limits).map(([name, { soft, hard }]) => `${name} ${soft}:${hard}`);
  const all = [...words, ...(shm === undefined ? [] : [`shm ${formatBytes(shm)}`])];
  return all.length === 0 ? [] : [all.join(', ')];
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.map((line) => `  ${title}: ${line}`);
}

const MARKS: Readonly<Record<FindingLevel, string>> = {
  blocks: 'NO  ',
  flag: 'FLAG',
  look: 'LOOK',
  unknown: '?   ',
  works: 'ok  ',
};

export function describeVerdict({ answer, findings }: Verdict, target: string): string[] {
  const flags = findings.flatMap(({ flag }) => flag ?? []);
  const looks = findings.filter(({ level }) => level === 'look').length;
  const rest = looks === 0 ? '' : `; ${looks} ${looks === 1 ? 'thing' : 'things'} to look at`;
  const words = {
    works: `${target} will work in a container here${rest}`,
    'needs a flag': `${target} will work with: ${[...new Set(flags)].join(', ')}${rest}`,
    'will not': `${target} will not work in a container here as things are`,
  };
  return [
    'Findings',
    ...findings.map(
      ({ level, message, flag }) => `  ${MARKS[level]} ${message}${flag === undefined ? '' : ` [p2c ${flag}]`}`,
    ),
    '',
    `Verdict: ${words[answer]}`,
  ];
}
