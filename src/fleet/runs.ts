/** The runs that a store remembers: folders below `runs/`, named by when they began. */
import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError, usageError } from '../errors.ts';
import { namesIn } from '../oci/files.ts';
import { isLocked } from '../oci/lock.ts';
import { suggestion } from '../profiles/nearest.ts';
import { type RunRecord, recordOf } from '../report/run-record.ts';
import { cutOffRun, type RunState, stateOfRun } from '../report/run-state.ts';
import { readJournal } from './journal.ts';
import { journalOf, lockOf } from './run.ts';

const RUN_ID = /^\d{8}-\d{6}-[0-9a-f]{4}$/;

/** Such as `20261125-094007-3f2a`: the time is UTC. */
export function newRunId(at: Date = new Date()): string {
  const digits = at.toISOString().replace(/\D/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(2).toString('hex')}`;
}

export function runFolder(root: string, id: string): string {
  return join(root, 'runs', id);
}

/** Where the parts lie that one host of a run has captured so far. */
export function hostFolder(folder: string, index: number): string {
  return join(folder, 'hosts', String(index));
}

/** Holder of the blobs that one host of a run has captured so far. @param index of the host in the run. */
export function holderOf(id: string, index: number): string {
  return `${id}.${index}`;
}

/** Names of all runs, the newest first. */
export async function runIds(root: string): Promise<string[]> {
  const names = await namesIn(join(root, 'runs'));
  return names.filter((name) => RUN_ID.test(name)).sort((a, b) => (a < b ? 1 : -1));
}

/** @returns undefined for a run that was killed before its first event was written. @throws P2cError `run.damaged`. */
export async function readRun(root: string, id: string): Promise<RunRecord | undefined> {
  const file = journalOf(runFolder(root, id));
  const there = await stat(file).catch(() => undefined);
  return there === undefined ? undefined : recordOf(await readJournal(file));
}

/** A run as it stands, for whoever asks about it. */
export interface SeenRun {
  readonly run: RunRecord;
  readonly state: RunState;
  readonly underWay: boolean;
}

/**
 * What nobody works on any more is not shown as under way.
 * @returns undefined for a run that was killed before its first event was written. @throws P2cError `run.damaged`.
 */
export async function seeRun(root: string, id: string): Promise<SeenRun | undefined> {
  // Asked before it is read: one that ends meanwhile has its end in the journal.
  const underWay = await isUnderWay(root, id);
  const run = await readRun(root, id);
  if (run === undefined) return undefined;
  if (!underWay) cutOffRun(run);
  return { run, state: stateOfRun(run, underWay), underWay };
}

/** True while a process has it. */
export async function isUnderWay(root: string, id: string): Promise<boolean> {
  return isLocked(lockOf(runFolder(root, id)));
}

/** True of a run that is remembered here, and that no process has. */
export async function isOver(root: string, id: string): Promise<boolean> {
  return (await runIds(root)).includes(id) && !(await isUnderWay(root, id));
}

/**
 * The run of a name, or of the beginning of one; the newest without a name.
 * @throws P2cError `run.unknown`, `run.ambiguous`.
 */
export async function findRun(root: string, name?: string): Promise<string> {
  const ids = await runIds(root);
  const hint = ids.length === 0 ? 'no run is remembered here' : "'p2c runs ls' lists them";
  const found = name === undefined ? ids.slice(0, 1) : ids.filter((id) => id === name || id.startsWith(name));
  const [id] = found;
  if (id === undefined) {
    const what = name === undefined ? 'there is no run' : `there is no run '${name}'${suggestion(name, ids)}`;
    throw usageError(`${what} in the store ${root}`, { code: 'run.unknown', hint });
  }
  if (found.length > 1 && !found.includes(name ?? '')) {
    throw usageError(`'${name}' is the beginning of ${found.length} runs`, { code: 'run.ambiguous', hint });
  }
  return name !== undefined && found.includes(name) ? name : id;
}

/** Its folder; the blobs that its hosts hold are the caller's to release. */
export async function removeRunFolder(root: string, id: string): Promise<void> {
  if (!RUN_ID.test(id)) throw new P2cError(`'${id}' is no run`, { code: 'run.unknown' });
  await rm(runFolder(root, id), { recursive: true, force: true });
}
