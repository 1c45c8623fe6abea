/** Carries out one step of a profile on the source and waits for what must be true after it. */
import { type Application, notDown, type StartTask, type StopTask } from './application.ts';
import { type Atom, type AtomState, nameOfAtom } from './checks.ts';
import { askOf, Interval, waitForUp } from './looking.ts';
import { pause } from './pause.ts';
import { formatSeconds } from './quantity.ts';
import { type Execution, execute, isAtWork, type Scene } from './step-execution.ts';
import { stepPurpose } from './steps.ts';

export interface StepReport {
  /** `stop nginx: service nginx stop`. */
  readonly purpose: string;
  /** Exit code; null where the step did not end within its limit, where the link was lost under it, or it was not needed. */
  readonly code: number | null;
  readonly milliseconds: number;
  /** The last 4 KiB of what it printed. */
  readonly output: string;
  /** Undefined where all is well; else what is not, as a clause. */
  readonly problem: string | undefined;
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
  const before = task.down.length === 0 ? [] : await ask();
  if (task.down.length > 0 && notDown(task.down, before).length === 0) {
    return { purpose, code: null, milliseconds: 0, output: '', problem: undefined };
  }
  signal.throwIfAborted();
  onSend();
  scene.tell(purpose);
  const execution = await execute(scene, application, {
    action: 'stop',
    task,
    pids: before.flatMap(({ pids }) => pids),
  });
  const { code, output } = execution;
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
  const problem = failed ? describe(execution, missing.map(stillThere), milliseconds) : undefined;
  return { purpose, code, milliseconds, output, problem };
}

/** How long it must be up to count: a stop that failed may still be at work on an application that looks well. */
const SETTLE_MS = { down: 500, halfDown: 5000, outlived: 5000 } as const;

/**
 * What is started. `halfDown`: its stop failed, and what is still up is not started a second time. `outlived`: so too, but
 * what is still up is no more than processes that outlived it.
 */
export type Started = keyof typeof SETTLE_MS;

/**
 * Starts, and waits until all is up that was up before. Tried three times at most: a stop that failed half-way may
 * still be at work, and then the first start finds the application running and does nothing. One that may be at work
 * itself is not sent a second time: a database that takes minutes to recover would be started on top of itself. Nor is one
 * that ended badly while a process of the application is there: an init script often waits less long than that takes.
 */
export async function runStart(
  scene: Scene,
  application: Application,
  task: StartTask,
  from: Started,
): Promise<StepReport> {
  const purpose = stepPurpose(application.name, 'start', task.step);
  const started = performance.now();
  const settleMs = SETTLE_MS[from];
  const checked = task.up.length > 0;
  const missingAfter = (limitMs: number, atWork?: () => Promise<boolean>): Promise<string[]> =>
    waitForUp(scene, application, task, { limitMs, settleMs, atWork });
  if (from === 'halfDown' && checked && (await missingAfter(0)).length === 0) {
    scene.tell(`${application.name} is still up: it is not started again`);
    return { purpose, code: null, milliseconds: 0, output: '', problem: undefined };
  }
  const limit = task.step.timeout;
  let execution: Execution = { code: null, output: '' };
  let missing: string[] = [];
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    scene.tell(attempt === 1 ? purpose : `${purpose} (attempt ${attempt})`);
    execution = await execute(scene, application, { action: 'start', task, wasDown: from === 'down' });
    const { code, unanswered } = execution;
    const elapsed = (): number => performance.now() - started;
    if (!checked) {
      if (code === 0 || unanswered !== undefined) break;
    } else if (unanswered === 'cut off') {
      missing = await missingAfter(limit - elapsed(), () => isAtWork(scene, application));
      if (missing.length === 0 || (await isAtWork(scene, application))) break;
    } else {
      missing = await missingAfter(code === 0 || (code !== null && hasProcess(task)) ? limit : Math.min(5000, limit));
      if (missing.length === 0 || elapsed() > limit) break;
    }
    if (attempt < 3) await pause(2000);
  }
  const milliseconds = performance.now() - started;
  const failed = missing.length > 0 || (!checked && execution.code !== 0);
  const problem = failed ? describe(execution, missing, milliseconds) : undefined;
  return { purpose, code: execution.code, milliseconds, output: execution.output, problem };
}

/** Then a look tells of a start that failed for good: it does not wait long where none is there. */
function hasProcess({ up }: StartTask): boolean {
  return up.some(({ kind }) => kind === 'process');
}

function stillThere({ atom, state }: { atom: Atom; state: AtomState }): string {
  if (atom.kind === 'command') return `${nameOfAtom(atom)} says that it is not down`;
  if (atom.kind === 'port') return `${nameOfAtom(atom)} still listens`;
  const { pids } = state;
  return `${nameOfAtom(atom)} still runs (pid ${pids.slice(0, 5).join(', ')}${pids.length > 5 ? ', …' : ''})`;
}

function describe({ code, unanswered }: Execution, missing: readonly string[], milliseconds: number): string {
  return [howItEnded(code, unanswered), ...missing].join(', ').concat(` after ${formatSeconds(milliseconds)}`);
}

function howItEnded(code: number | null, unanswered: Execution['unanswered']): string {
  if (code !== null) return `ended with exit code ${code}`;
  if (unanswered === undefined) return 'could not be sent';
  return unanswered === 'late' ? 'did not end within its limit' : 'was under way when the link was lost';
}
