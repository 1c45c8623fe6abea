/** One run as its events tell it: what `runs ls` lists, what a resumed run goes by, what a report shows. */
import type { ErrorRecord, Happening, HappeningOf, RunEvent } from './events/schema.ts';
import { tryAgain } from './waiting.ts';

export interface StageRecord {
  readonly stage: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  ended: number | undefined;
  outcome: 'running' | 'done' | 'failed' | 'cut off';
  summary: string;
}

export type HostState = 'waiting' | 'running' | 'done' | 'failed' | 'not begun' | 'cut off';

export interface HostRecord {
  readonly name: string;
  readonly target: string;
  readonly image: string | null;
  state: HostState;
  /** Milliseconds since 1970: when it first began, and when it ended last. */
  began: number | undefined;
  ended: number | undefined;
  attempts: number;
  /** When the latest of them began. */
  attemptBegan: number | undefined;
  /** What ran on the server in attempts that have no result to list it. */
  commands: HappeningOf<'command'>[];
  readonly stages: StageRecord[];
  /** The last of its lines. */
  readonly notes: string[];
  facts: HappeningOf<'host-facts'> | undefined;
  planned: HappeningOf<'host-planned'> | undefined;
  plannedAt: number | undefined;
  /** Bytes of the parts that were captured, each capture counted. */
  capturedBytes: number;
  /** Bytes of parts that an earlier process had captured, and that still held. */
  keptBytes: number;
  /** ID of the container that its image was booted as last. */
  container: string | undefined;
  /** Why it has not begun, or does not go on. */
  waiting: string | undefined;
  /** Of the stage under way. */
  progress: HappeningOf<'progress'> | undefined;
  /** When its applications were stopped, while they are. */
  downSince: number | undefined;
  /** Each time that they were; `to` is undefined where nobody saw them start. */
  readonly downs: { readonly from: number; to: number | undefined }[];
  /** Milliseconds that the application was down which was down longest. */
  downMs: number | undefined;
  error: ErrorRecord | undefined;
  exitCode: number | undefined;
  result: unknown;
}

export interface RunRecord {
  readonly id: string;
  readonly version: string;
  readonly verb: string;
  readonly argv: readonly string[];
  /** The folder that relative paths in it are meant from. */
  readonly folder: string | undefined;
  readonly began: number;
  /** Of its last event. */
  readonly lastSeen: number;
  /** Undefined where it was cut off, or is under way. */
  readonly exitCode: number | undefined;
  readonly resumed: number;
  readonly hosts: readonly HostRecord[];
}

const NOTES_KEPT = 200;

/** @returns undefined where the events begin with no start of a run: it was killed before anything happened. */
export function recordOf(events: readonly RunEvent[]): RunRecord | undefined {
  const first = events[0];
  const last = events.at(-1);
  if (first?.event !== 'run-started' || last === undefined) return undefined;
  const hosts = new Map(first.hosts.map((host) => [host.name, newHost(host)]));
  let exitCode: number | undefined;
  let resumed = 0;
  for (const event of events) {
    const at = Date.parse(event.time);
    if (event.event === 'run-finished') exitCode = event.exitCode;
    if (event.event === 'run-resumed') {
      resumed += 1;
      exitCode = undefined;
      for (const host of hosts.values()) cutOff(host, at);
    }
    const host = 'host' in event && event.host !== undefined ? hosts.get(event.host) : undefined;
    if (host !== undefined) happen(host, event, at);
  }
  return {
    id: first.run,
    version: first.version,
    verb: first.verb,
    argv: first.argv ?? [],
    folder: first.folder,
    began: Date.parse(first.time),
    lastSeen: Date.parse(last.time),
    exitCode,
    resumed,
    hosts: [...hosts.values()],
  };
}

export type PlannedHost = HappeningOf<'run-started'>['hosts'][number];

/** Before anything happened to it. */
export function newHost({ name, target, image }: PlannedHost): HostRecord {
  return {
    name,
    target,
    image,
    state: 'waiting',
    began: undefined,
    ended: undefined,
    attempts: 0,
    attemptBegan: undefined,
    commands: [],
    stages: [],
    notes: [],
    facts: undefined,
    planned: undefined,
    plannedAt: undefined,
    capturedBytes: 0,
    keptBytes: 0,
    container: undefined,
    waiting: undefined,
    progress: undefined,
    downSince: undefined,
    downs: [],
    downMs: undefined,
    error: undefined,
    exitCode: undefined,
    result: undefined,
  };
}

/** What was under way when the process ended did not end by itself. */
export function cutOff(host: HostRecord, at: number): void {
  if (host.state === 'running') host.state = 'cut off';
  for (const stage of host.stages) {
    if (stage.outcome !== 'running') continue;
    stage.outcome = 'cut off';
    stage.ended = at;
  }
}

/** Adds one event to what is known of a host. */
export function happen(host: HostRecord, event: Happening, at: number): void {
  switch (event.event) {
    case 'host-started':
      host.state = 'running';
      host.began ??= at;
      host.ended = undefined;
      host.error = undefined;
      host.waiting = undefined;
      host.attempts += 1;
      host.attemptBegan = at;
      return;
    case 'host-facts':
      host.facts = event;
      return;
    case 'host-planned':
      host.planned = event;
      host.plannedAt = at;
      return;
    case 'host-waiting':
      host.waiting = event.reason;
      return;
    case 'progress':
      host.progress = event;
      return;
    case 'applications-stopped':
      // The stage is over that stopped them: the first was down soon after it began.
      host.downSince = host.stages.at(-1)?.began ?? at;
      host.downs.push({ from: host.downSince, to: undefined });
      return;
    case 'stage-started':
      host.waiting = undefined;
      host.progress = undefined;
      host.stages.push({ stage: event.stage, began: at, ended: undefined, outcome: 'running', summary: '' });
      return;
    case 'stage-ended':
      endStage(host, event, at);
      return;
    case 'part-captured':
      host.capturedBytes += event.bytes;
      return;
    case 'container-created':
      host.container = event.container;
      return;
    case 'part-kept':
      host.keptBytes += event.bytes;
      return;
    case 'applications-started':
      if (host.downs.length > 0) host.downs[host.downs.length - 1] = { from: host.downSince ?? at, to: at };
      host.downSince = undefined;
      host.downMs = Math.max(host.downMs ?? 0, ...event.applications.map(({ downMs }) => downMs));
      return;
    case 'note':
      if (host.notes.length < NOTES_KEPT) host.notes.push(event.line);
      return;
    case 'host-done':
      host.state = 'done';
      host.ended = at;
      host.exitCode = event.exitCode;
      host.result = event.result;
      host.commands = host.commands.filter((command) => Date.parse(command.at) < (host.attemptBegan ?? 0));
      return;
    case 'command':
      host.commands.push(event);
      return;
    case 'host-failed':
      cutOff(host, at);
      // One that an earlier process had begun has been begun.
      host.state = event.begun === false && host.attempts === 0 ? 'not begun' : 'failed';
      host.ended = at;
      host.error = event.error;
      host.waiting = undefined;
      return;
    case 'host-retrying':
      host.state = 'waiting';
      host.ended = undefined;
      host.waiting = tryAgain(at + event.waitMs);
      return;
    default:
  }
}

function endStage(host: HostRecord, event: HappeningOf<'stage-ended'>, at: number): void {
  const stage = host.stages.findLast((each) => each.stage === event.stage && each.outcome === 'running');
  if (stage === undefined) return;
  stage.outcome = event.outcome;
  stage.ended = at;
  stage.summary = event.summary;
}
