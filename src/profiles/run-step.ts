/** Carries out one step of a profile on the source and waits for what must be true after it. */
import { messageOf, P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import { type Application, notDown, notUp, probe, type StartTask, type StopTask } from './application.ts';
import { type Atom, type AtomState, nameOfAtom } from './checks.ts';
import type { Lease } from './lease.ts';
import { LeaseExit, type LeasePlace } from './lease-scripts.ts';
import type { Owed } from './owed.ts';
import { pause } from './pause.ts';
import { formatSeconds } from './quantity.ts';
import { endStepCommand, readStepCommand, stepCommand } from './step-scripts.ts';
import { stepLine, stepPurpose } from './steps.ts';

/** What the steps of one run work with. */
export interface Scene {
  readonly session: Session;
  readonly place: LeasePlace;
  readonly lease: Lease;
  readonly owed: Owed;
  readonly tell: (line: string) => void;
}

export interface StepReport {
  /** `stop nginx: service nginx stop`. */
  readonly purpose: string;
  /** Exit code; null where the step did not end within its limit, or was not needed. */
  readonly code: number | null;
  readonly milliseconds: number;
  /** The last 4 KiB of what it printed. */
  readonly output: string;
  /** Undefined where all is well; else what is not, as a clause. */
  readonly problem: string | undefined;
}

/** Thrown where the source cannot be reached any more or the lease is gone: further steps make no sense. */
export class OutOfReach extends Error {
  override readonly name = 'OutOfReach';
}

interface Execution {
  readonly code: number | null;
  readonly output: string;
}

type Action = 'start' | 'stop';

async function execute(
  scene: Scene,
  application: Application,
  action: Action,
  task: StopTask | StartTask,
): Promise<Execution> {
  const { lease, session } = scene;
  const command = stepCommand(scene.place, {
    purpose: stepPurpose(application.name, action, task.step),
    line: stepLine(action, task.step),
    timeoutMs: task.step.timeout,
    owe: action === 'stop' ? { token: lease.token, number: application.number, name: application.name } : undefined,
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await carryOut(session, command);
    } catch (cause) {
      if (cause instanceof OutOfReach) throw cause;
      // A step that took too long, or a link that is gone? The next command tells.
      const answer = await lease.renew().catch((error: unknown) => error);
      if (answer === 'expired') throw new OutOfReach('the lease ran out', { cause });
      if (answer !== 'held') throw new OutOfReach('the source does not answer', { cause });
      const printed = await giveUp(scene, action);
      // The step that was under way when the link was lost was ended, so it may come once more.
      const cutOff = action === 'stop' && cause instanceof P2cError && cause.code === 'ssh.lost';
      if (!cutOff || attempt === 3)
        return { code: null, output: [printed, messageOf(cause)].filter((text) => text !== '').join('\n') };
    }
  }
}

/** @returns what the step has printed until then: often, what it waits for. */
async function giveUp({ session, place, lease }: Scene, action: Action): Promise<string> {
  if (action === 'stop') return lenient((await session.run(endStepCommand(place, lease.token))).stdout);
  return session.run(readStepCommand(place)).then(
    ({ stdout }) => lenient(stdout),
    // Whether the source can be reached at all is told by whoever asks it next.
    () => '',
  );
}

async function carryOut(session: Session, command: RemoteCommand): Promise<Execution> {
  const result = await session.run(command);
  const code = /^p2c-code (\d+)$/m.exec(result.stderr)?.[1];
  if (code !== undefined) return { code: Number(code), output: lenient(result.stdout) };
  if (result.code === LeaseExit.notOurs || result.code === LeaseExit.expired) throw new OutOfReach('the lease ran out');
  return { code: result.code, output: printable(result.stderr.trim(), { newlines: true }) };
}

function lenient(bytes: Buffer): string {
  return printable(new TextDecoder().decode(bytes).trim(), { newlines: true });
}

interface Stopping {
  readonly signal: AbortSignal;
  /** Called right before the step's command is sent. */
  readonly onSend: () => void;
}

/**
 * Stops, and waits until it is down. A step that is down already is left out: its command would only complain.
 * @throws the signal's reason where it was aborted before the command was sent.
 */
export async function runStop(
  scene: Scene,
  application: Application,
  task: StopTask,
  { signal, onSend }: Stopping,
): Promise<StepReport> {
  const purpose = stepPurpose(application.name, 'stop', task.step);
  const started = performance.now();
  const ask = () => askOf(scene, `see whether ${application.name} is down`, task.down);
  if (task.down.length > 0 && notDown(task.down, await ask()).length === 0) {
    return { purpose, code: null, milliseconds: 0, output: '', problem: undefined };
  }
  signal.throwIfAborted();
  onSend();
  scene.tell(purpose);
  const { code, output } = await execute(scene, application, 'stop', task);
  const patience = code === 0 ? task.step.timeout - (performance.now() - started) : Math.min(5000, task.step.timeout);
  const deadline = performance.now() + patience;
  const interval = new Interval();
  let missing = task.down.length === 0 ? [] : notDown(task.down, await ask());
  while (missing.length > 0 && performance.now() < deadline && !signal.aborted) {
    await pause(interval.next(), signal);
    missing = notDown(task.down, await ask());
  }
  const failed = missing.length > 0 || (task.down.length === 0 && code !== 0);
  const milliseconds = performance.now() - started;
  const problem = failed ? describe(code, missing.map(stillThere), milliseconds) : undefined;
  return { purpose, code, milliseconds, output, problem };
}

/** How long it must be up to count: a stop that failed may still be at work on an application that looks well. */
const SETTLE_MS = { down: 500, halfDown: 5000 } as const;

/**
 * Starts, and waits until all is up that was up before. Tried three times at most: a stop that failed half-way may
 * still be at work, and then the first start finds the application running and does nothing.
 * @param from `halfDown` where a stop step failed: then what is still up is not started a second time.
 */
export async function runStart(
  scene: Scene,
  application: Application,
  task: StartTask,
  from: 'down' | 'halfDown',
): Promise<StepReport> {
  const purpose = stepPurpose(application.name, 'start', task.step);
  const started = performance.now();
  const settleMs = SETTLE_MS[from];
  if (
    from === 'halfDown' &&
    task.up.length > 0 &&
    (await waitForUp(scene, application, task, 0, settleMs)).length === 0
  ) {
    scene.tell(`${application.name} is still up: it is not started again`);
    return { purpose, code: null, milliseconds: 0, output: '', problem: undefined };
  }
  let execution: Execution = { code: null, output: '' };
  let missing: string[] = [];
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    scene.tell(attempt === 1 ? purpose : `${purpose} (attempt ${attempt})`);
    execution = await execute(scene, application, 'start', task);
    if (task.up.length === 0) {
      if (execution.code === 0) break;
    } else {
      const patience = execution.code === 0 ? task.step.timeout : Math.min(5000, task.step.timeout);
      missing = await waitForUp(scene, application, task, patience, settleMs);
      if (missing.length === 0 || performance.now() - started > task.step.timeout) break;
    }
    if (attempt < 3) await pause(2000);
  }
  const milliseconds = performance.now() - started;
  const failed = missing.length > 0 || (task.up.length === 0 && execution.code !== 0);
  const problem = failed ? describe(execution.code, missing, milliseconds) : undefined;
  return { purpose, code: execution.code, milliseconds, output: execution.output, problem };
}

/** @returns what is not up at the end, named; gives up early where no process of it is there to become ready. */
async function waitForUp(
  scene: Scene,
  application: Application,
  task: StartTask,
  limitMs: number,
  settleMs: number,
): Promise<string[]> {
  const deadline = performance.now() + limitMs;
  const interval = new Interval();
  let upSince: number | undefined;
  let goneSince: number | undefined;
  for (;;) {
    const states = await askOf(scene, `see whether ${application.name} is up`, task.up);
    const missing = notUp(task.up, states);
    const now = performance.now();
    upSince = missing.length === 0 ? (upSince ?? now) : undefined;
    if (upSince !== undefined && now - upSince >= settleMs) return [];
    goneSince = withoutProcess(task.up, states) ? (goneSince ?? now) : undefined;
    const hopeless = goneSince !== undefined && now - goneSince > 5000;
    if (upSince === undefined && (hopeless || now >= deadline)) {
      return missing.map(({ atom }) => `${nameOfAtom(atom)} is not there`);
    }
    await pause(interval.next());
  }
}

/** Between two looks: short at first, for most things are quick; a second later on, for each look is a command there. */
class Interval {
  #ms = 150;

  next(): number {
    this.#ms = Math.min(1000, this.#ms * 1.5);
    return this.#ms;
  }
}

function withoutProcess(atoms: readonly Atom[], states: readonly AtomState[]): boolean {
  const processes = atoms.flatMap((atom, index) => (atom.kind === 'process' ? [states[index]] : []));
  return processes.length > 0 && processes.every((state) => state?.holds !== true);
}

async function askOf(scene: Scene, purpose: string, atoms: readonly Atom[]): Promise<AtomState[]> {
  try {
    return await probe(scene.session, purpose, atoms);
  } catch (cause) {
    throw new OutOfReach('the source does not answer', { cause });
  }
}

function stillThere({ atom, state }: { atom: Atom; state: AtomState }): string {
  if (atom.kind === 'command') return `${nameOfAtom(atom)} says that it is not down`;
  if (atom.kind === 'port') return `${nameOfAtom(atom)} still listens`;
  const { pids } = state;
  return `${nameOfAtom(atom)} still runs (pid ${pids.slice(0, 5).join(', ')}${pids.length > 5 ? ', …' : ''})`;
}

function describe(code: number | null, missing: readonly string[], milliseconds: number): string {
  const ended = code === null ? 'did not end within its limit' : `ended with exit code ${code}`;
  return [ended, ...missing].join(', ').concat(` after ${formatSeconds(milliseconds)}`);
}
