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
  const { content, leftOut } = profileContent(inspection, proposal);
  const comments = [
    ...opening(inspection, proposal, verdict),
    ...leftOut.map((what) => `Left out, for a profile cannot say it: ${what}`),
  ];
  return `${comments.map(commentLine).join('\n')}\n${stringify(content, { lineWidth: 0 })}`;
}

/** A part of a profile, and what it is called where it cannot be one. */
interface Piece<Item> {
  readonly item: Item;
  readonly what: string;
}

interface Content {
  readonly content: object;
  /** What the schema of profiles does not take. */
  readonly leftOut: readonly string[];
}

function profileContent({ hostname, release }: Inspection, proposal: Proposal): Content {
  const leftOut: string[] = [];
  const fitting = <Item>(pieces: readonly Piece<Item>[], asProfile: (item: Item) => object): Item[] =>
    pieces.flatMap(({ item, what }) => {
      if (isProfile(asProfile(item))) return [item];
      leftOut.push(what);
      return [];
    });
  const { exclude, volumes, ports, limits } = proposal;
  const steps = fitting(stepPieces(proposal), ({ stop, start }) => ({ stop: [stop], start: [start] }));
  const filled = {
    requires: fitting(
      proposal.profiles
        .filter(({ running }) => running)
        .map(({ name: required }) => ({ item: required, what: `the profile ${required}` })),
      (item) => ({ requires: [item] }),
    ),
    stop: steps.map(({ stop }) => stop),
    start: steps.toReversed().map(({ start }) => start),
    exclude: fitting(
      exclude.map(({ path, reason }) => ({ item: { path, reason }, what: `the exclusion of ${path}` })),
      (item) => ({ exclude: [item] }),
    ),
    volumes: fitting(
      volumes.map(({ path }) => ({ item: { path, capture: 'image' }, what: `the volume ${path}` })),
      (item) => ({ volumes: [item] }),
    ),
    ports: fitting(
      ports.map((port) => ({ item: portWord(port), what: `the port ${portWord(port)}` })),
      (item) => ({ ports: [item] }),
    ),
  };
  const kept = fitting(limitPieces(limits), (item) => ({ limits: Object.fromEntries([item]) }));
  const content = {
    name: profileName(hostname),
    title: oneLine(`${hostname}, ${release.name}`),
    ...Object.fromEntries(Object.entries(filled).filter(([, list]) => list.length > 0)),
    ...(kept.length === 0 ? {} : { limits: Object.fromEntries(kept) }),
  };
  return { content, leftOut };
}

/** What a server calls itself or a path must not make a file that p2c then refuses: each part is tried alone. */
function isProfile(part: object): boolean {
  return profileSchema.safeParse({ name: 'tried', ...part }).success;
}

/** A step that stops goes with the one that starts. */
function stepPieces({ steps }: Proposal): Piece<{ stop: object; start: object }>[] {
  const named = steps.filter(({ processes }) => processes.length > 0);
  return named.map((step) => ({
    item: { stop: stopStep(step), start: startStep(step) },
    what: `the steps of the service ${step.service}`,
  }));
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

function limitPieces({ shm, ...limits }: Proposal['limits']): Piece<[string, string | number]>[] {
  const words = Object.entries(limits).map(([name, { soft, hard }]): [string, string | number] => [
    name,
    soft === hard ? soft : `${soft}:${hard}`,
  ]);
  const all: [string, string | number][] = shm === undefined ? words : [...words, ['shm', shm]];
  return all.map((item) => ({ item, what: `the limit ${item.join('=')}` }));
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

function opening({ hostname }: Inspection, proposal: Proposal, verdict: Verdict): string[] {
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
