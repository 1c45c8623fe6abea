/** Opens the run that a call of a verb is: a new one, or one that goes on. */
import { ExitCode, P2cError, usageError } from '../errors.ts';
import { type Listener, Run } from '../fleet/run.ts';
import { findRun, newRunId, readRun, runFolder, runIds } from '../fleet/runs.ts';
import { ImageStore } from '../oci/store.ts';
import { forgetDoneParts, forgetDonePartsOf } from '../pipeline/forget-parts.ts';
import type { HostRecord, PlannedHost, RunRecord } from '../report/run-record.ts';
import { version } from '../version.ts';

export interface RunPlan {
  readonly root: string;
  readonly verb: string;
  /** As typed. */
  readonly argv: readonly string[];
  readonly hosts: readonly PlannedHost[];
  /** The run that goes on. */
  readonly resumed?: RunRecord | undefined;
  /** Told of every event, from the first one. */
  readonly listener?: Listener | undefined;
}

/** What a process did of a run. */
export interface RunEnd {
  readonly exitCode: ExitCode;
  readonly done: number;
  /** Those that were not begun are counted too. */
  readonly failed: number;
  readonly notBegun?: number;
}

/** @throws what the work throws, once that is recorded. */
export async function withRun<End extends RunEnd>(plan: RunPlan, work: (run: Run) => Promise<End>): Promise<End> {
  const began = performance.now();
  await using run = await openRun(plan);
  const finished = ({ exitCode, done, failed, notBegun = 0 }: RunEnd): Promise<void> =>
    run.record({ event: 'run-finished', exitCode, done, failed, notBegun, milliseconds: performance.now() - began });
  let end: End | undefined;
  try {
    end = await work(run);
    await run.recorded();
    await finished(end);
    return end;
  } catch (error) {
    const exitCode = error instanceof P2cError ? error.exitCode : ExitCode.failed;
    // What ended the work is told, also where the journal's disk is full because of it.
    await finished({ done: 0, failed: plan.hosts.length, ...end, exitCode }).catch(() => {});
    throw error;
  }
}

/** The store is opened first: it words what is wrong with its place. */
async function openRun({ root, verb, argv, hosts, resumed, listener }: RunPlan): Promise<Run> {
  await (await ImageStore.open(root, { create: true }))[Symbol.asyncDispose]();
  const id = resumed?.id ?? newRunId();
  const run = await Run.open(runFolder(root, id), id);
  if (listener !== undefined) run.listen(listener);
  try {
    if (resumed !== undefined) {
      await run.record({ event: 'run-resumed', version: version() });
      await forgetDoneParts(root, resumed);
    } else {
      const folder = process.cwd();
      const told = withoutSecrets(argv);
      await run.record({ event: 'run-started', version: version(), verb, argv: told, folder, hosts: [...hosts] });
    }
    return run;
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

/** A webhook's address is often all that one needs to post there. */
const SECRET = /^--webhook(?:=|$)/;

function withoutSecrets(argv: readonly string[]): string[] {
  return argv.filter((word, at) => !SECRET.test(word) && argv[at - 1] !== '--webhook');
}

/**
 * The run that `--resume` means: without a name, the newest of the verb that is not done.
 * @throws P2cError `run.unknown`, `run.done`, `run.version`.
 */
export async function runToResume(root: string, verb: string, name: string): Promise<RunRecord> {
  const found = name === '' ? await newestUnfinished(root, verb) : await readRun(root, await findRun(root, name));
  if (found === undefined) {
    if (name !== '') throw neverBegan(name);
    throw usageError(`no run of '${verb}' is unfinished`, {
      code: 'run.unknown',
      hint: "'p2c runs ls' lists them all",
    });
  }
  if (found.verb !== verb) throw usageError(`${found.id} is a run of '${found.verb}'`, { code: 'run.unknown' });
  if (isDone(found)) {
    await forgetDonePartsOf(root, found);
    throw usageError(`every host of the run ${found.id} is done`, {
      code: 'run.done',
      hint: `'p2c runs show ${found.id}' tells what came of it`,
    });
  }
  if (found.version !== version()) {
    throw usageError(`the run ${found.id} was begun by p2c ${found.version}, and this is ${version()}`, {
      code: 'run.version',
      hint: `go on with p2c ${found.version}, or remove it with 'p2c runs rm ${found.id}' and begin anew`,
    });
  }
  return found;
}

/** A run that was killed before its first event was on the disk. */
export function neverBegan(id: string): P2cError {
  return usageError(`the run ${id} never began`, { code: 'run.unknown', hint: `'p2c runs rm ${id}' removes it` });
}

export function isDone({ hosts }: RunRecord): boolean {
  return hosts.every(({ state }) => state === 'done');
}

/** A run whose journal is damaged is passed over here: whoever names it is told. */
async function newestUnfinished(root: string, verb: string): Promise<RunRecord | undefined> {
  for (const id of await runIds(root)) {
    const run = await readRun(root, id).catch(() => undefined);
    if (run === undefined || run.verb !== verb) continue;
    if (!isDone(run)) return run;
    await forgetDonePartsOf(root, run);
  }
  return undefined;
}

/**
 * What an image says of when it was captured: when its host was begun, or what SOURCE_DATE_EPOCH says
 * (reproducible-builds.org), in seconds since 1970.
 * @param began of a host that goes on, in milliseconds.
 */
export function capturedAt(began: number | undefined, env: NodeJS.ProcessEnv = process.env): Date {
  const epoch = env['SOURCE_DATE_EPOCH'];
  if (epoch === undefined || epoch === '') return new Date(began ?? Date.now());
  if (/^\d{1,11}$/.test(epoch)) return new Date(Number(epoch) * 1000);
  throw usageError(`SOURCE_DATE_EPOCH '${epoch}' is no number of seconds since 1970`, { code: 'usage' });
}

/** Whether a host was done before the run went on. */
export function isKept({ name }: { readonly name: string }, resumed: RunRecord | undefined): boolean {
  return resumed !== undefined && recordedHost(resumed, name).host.state === 'done';
}

/** What the run knows of a host. @throws P2cError `run.changed` where it has no such host. */
export function recordedHost(resumed: RunRecord, name: string): { host: HostRecord; index: number } {
  const index = resumed.hosts.findIndex((each) => each.name === name);
  const host = resumed.hosts[index];
  if (host !== undefined) return { host, index };
  throw usageError(`the run ${resumed.id} has no host '${name}': its inventory has changed`, {
    code: 'run.changed',
    hint: 'begin a new run for it',
  });
}
