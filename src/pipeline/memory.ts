/** What a pipeline leaves behind while it works, so that another process can go on with it. */
import type { Part } from '../listing/part.ts';
import type { ImageStore } from '../oci/store.ts';
import { printable } from '../printable.ts';
import type { LeaseRun } from '../profiles/lease-sight.ts';
import type { Quiesced, ResumeReport } from '../profiles/quiesce.ts';
import type { Happening } from '../report/events/schema.ts';
import type { ConnectOptions } from '../ssh/connect.ts';
import type { LedgerEntry } from '../ssh/session.ts';
import type { CapturedPart } from './captured-part.ts';
import { Room } from './room.ts';
import type { Survey } from './survey.ts';

type OmitHost<Each> = Each extends { readonly host: string } ? Omit<Each, 'host'> : never;

/** Something that happened to the host whose memory this is. */
export type HostHappening = OmitHost<Happening>;

/** What a part was captured under, beside its entries. */
export interface Circumstances {
  /** Milliseconds since 1970, here, when the listing was begun that the parts are planned of. */
  readonly listedAt: number;
  /** Files that were written through memory then. */
  readonly suspects: ReadonlySet<string>;
}

export interface Memory {
  /** When the host's capture was first begun: the image says it was captured then. */
  readonly started: Date;
  /** ID of the container that an earlier process of the run booted, or was about to. */
  readonly container: string | undefined;
  /** The run that this is of; undefined where nothing is remembered. */
  readonly run: LeaseRun | undefined;
  record(happening: HostHappening): void;
  /**
   * Waits for room in the store for the parts that were not captured before.
   * @param unpacked whether there is to be room for their files beside them.
   * @throws P2cError `store.full`.
   */
  room(store: ImageStore, parts: readonly Part[], signal: AbortSignal, unpacked: boolean): Promise<void>;
  /** @param store where the parts' blobs are. */
  parts(store: ImageStore, circumstances: Circumstances): PartMemory;
}

export interface PartMemory {
  /** The part as an earlier process of the run captured it, where all of its entries are still as they were. */
  recall(part: Part, parts: number): Promise<CapturedPart | undefined>;
  /** Returns at once: the source does not wait for a disk. */
  remember(part: Part, parts: number, captured: CapturedPart): void;
  /** Waits until all is remembered. @throws P2cError `store.full`… */
  settled(): Promise<void>;
}

/** Remembers nothing. */
export function forgetful(started: Date = new Date()): Memory {
  const parts: PartMemory = { recall: async () => undefined, remember: () => {}, settled: async () => {} };
  return {
    started,
    container: undefined,
    run: undefined,
    record: () => {},
    room: (store, wanted, signal, unpacked) =>
      new Room(store.root).ask({ host: '', bytes: bytesOf(wanted) * (unpacked ? 2 : 1) }, () => {}, signal),
    parts: () => parts,
  };
}

/** Every command on the source is on record, also of a run that fails or is killed. */
export function accounted<Options extends ConnectOptions>(connect: Options, memory: Memory): Options {
  const onCommand = ({ code, durationMs, ...entry }: LedgerEntry): void =>
    memory.record({ event: 'command', ...entry, exitCode: code, milliseconds: durationMs });
  return { ...connect, onCommand };
}

/** Of tar, as the listing has it. */
export function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Applications that did not run are not told of. */
export function rememberStop(memory: Memory, { stopped }: Quiesced): void {
  if (stopped.length === 0) return;
  memory.record({ event: 'applications-stopped', applications: [...stopped] });
}

export function rememberStart(memory: Memory, resumed: ResumeReport): void {
  if (resumed.applications.length === 0) return;
  const applications = resumed.applications.map(({ name, downMs }) => ({ name, downMs }));
  memory.record({ event: 'applications-started', applications });
}

/** What the survey of a host found, for those who follow the run. */
export function rememberSurvey(memory: Memory, { facts, plan }: Survey): void {
  const { hostname, distribution, kernel, machine } = facts;
  memory.record({
    event: 'host-facts',
    hostname: printable(hostname),
    distribution: printable(distribution),
    kernel: printable(kernel),
    machine: printable(machine),
  });
  const { entries, bytes, tarBytes, parts } = plan;
  memory.record({ event: 'host-planned', entries, bytes, tarBytes, parts: parts.length });
}
