/** A proposal as the file of a profile, to be read and edited by a person, and taken by `p2c migrate --profile`. */
import { stringify } from 'yaml';
import { profileSchema } from '../profiles/schema.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { OwnStep } from './own-steps.ts';
import type { Proposal } from './proposal.ts';
import type { Verdict } from './verdict.ts';

const WIDTH = 120;

/** The file's text. It is valid by the schema of profiles, whatever the server's names hold. */
export function profileText(inspection: Inspection, proposal: Proposal, verdict: Verdict): string {
  const content = profileContent(inspection, proposal);
  // What the server calls itself or a path must not make a file that p2c then refuses.
  profileSchema.parse(content);
  return `${comments(inspection, proposal, verdict).map(commentLine).join('\n')}\n${stringify(content, { lineWidth: 0 })}`;
}

function profileContent({ hostname, release }: Inspection, proposal: Proposal): object {
  const { steps, exclude, volumes, ports, limits } = proposal;
  const named = steps.filter(({ processes }) => processes.length > 0);
  const filled = {
    requires: proposal.profiles.filter(({ running }) => running).map(({ name: required }) => required),
    stop: named.map(stopStep),
    start: named.toReversed().map(startStep),
    exclude: exclude.map(({ path, reason }) => ({ path, reason })),
    volumes: volumes.map(({ path }) => ({ path, capture: 'image' })),
    ports: ports.map(portWord),
  };
  return {
    name: profileName(hostname),
    title: oneLine(`${hostname}, ${release.name}`),
    ...Object.fromEntries(Object.entries(filled).filter(([, list]) => list.length > 0)),
    ...(Object.keys(limits).length === 0 ? {} : { limits: limitWords(limits) }),
  };
}

function stopStep({ service, processes, ports }: OwnStep): object {
  return { service, timeout: '60s', down: { process: processes, port: ports.map(portWord) } };
}

function startStep({ service, processes, ports }: OwnStep): object {
  return { service, timeout: '60s', up: { process: processes, port: ports.map(portWord) } };
}

function portWord({ port, protocol }: Proposal['ports'][number]): number | string {
  return protocol === 'tcp' ? port : `${port}/udp`;
}

function limitWords({ shm, ...limits }: Proposal['limits']): object {
  const words = Object.entries(limits).map(([name, { soft, hard }]) => [
    name,
    soft === hard ? soft : `${soft}:${hard}`,
  ]);
  return { ...Object.fromEntries(words), ...(shm === undefined ? {} : { shm }) };
}

/** Small letters, digits, dots and dashes, as a profile's name must be. */
function profileName(hostname: string): string {
  const name = hostname
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  return name === '' ? 'server' : name;
}

function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, 1000);
}

function comments({ hostname }: Inspection, proposal: Proposal, verdict: Verdict): string[] {
  return [
    `Proposed by 'p2c inspect' for ${hostname}. Read it, edit it, then: p2c migrate TARGET --profile ./THIS-FILE.yaml --tag NAME`,
    ...proposal.profiles.map(
      ({ name, running: runs, reasons }) =>
        `The profile ${name} fits (${runs ? 'it runs' : 'it does not run now'}): ${reasons.join(', ')}`,
    ),
    ...proposal.volumes.map(({ path, reason }) => `Volume ${path}: ${reason}`),
    ...proposal.unexplained.map((what) => `Write its stop and start steps: ${what}`),
    ...verdict.findings.filter(({ level }) => level !== 'works').map(({ level, message }) => `${level}: ${message}`),
  ];
}

/** Broken at blanks; each line is a comment, whatever was in the text. */
function commentLine(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(' ')) {
    if (line.length + word.length + 3 > WIDTH && line !== '') {
      lines.push(line);
      line = ' ';
    }
    line += `${line === '' || line === ' ' ? '' : ' '}${word}`;
  }
  return [...lines, line].map((each) => `# ${each}`).join('\n');
}
