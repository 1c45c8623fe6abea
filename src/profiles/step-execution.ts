/** Sends the command of a step, and finds out what became of it where no answer came. */
import { messageOf, P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import type { Application, StartTask, StopTask } from './application.ts';
import type { Lease } from './lease.ts';
import { LeaseExit, type LeasePlace } from './lease-scripts.ts';
import type { Owed } from './owed.ts';
import { AT_WORK, endStepCommand, readStepCommand, stepCommand } from './step-scripts.ts';
import { type Action, stepLine, stepPurpose } from './steps.ts';

/** What the steps of one run work with. */
export interface Scene {
  readonly session: Session;
  readonly place: LeasePlace;
  readonly lease: Lease;
  readonly owed: Owed;
  readonly tell: (line: string) => void;
}

/** Thrown where the source cannot be reached any more or the lease is gone: further steps make no sense. */
export class OutOfReach extends Error {
  override readonly name = 'OutOfReach';
}

export interface Execution {
  readonly code: number | null;
  readonly output: string;
  /**
   * Why there is no code though the step was sent: it outlived its limit, or the link was lost under it. Then it may be
   * at work yet; without a check to tell, it may be the application itself.
   */
  readonly unanswered?: 'late' | 'cut off';
}

/** `pids`: what ran of the application before. `wasDown`: all of it was seen down. */
type Sent =
  | { readonly action: 'stop'; readonly task: StopTask; readonly pids: readonly number[] }
  | { readonly action: 'start'; readonly task: StartTask; readonly wasDown: boolean };

/** @throws OutOfReach. */
export async function execute(scene: Scene, application: Application, sent: Sent): Promise<Execution> {
  const { lease, session } = scene;
  const { action, task } = sent;
  const command = stepCommand(scene.place, {
    purpose: stepPurpose(application.name, action, task.step),
    line: stepLine(action, task.step),
    timeoutMs: task.step.timeout,
    token: lease.token,
    number: application.number,
    kind: sent.action === 'stop' ? { owe: application.name, pids: sent.pids } : { wasDown: sent.wasDown },
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
      const printed = await giveUp(scene, application, action);
      const code = cause instanceof P2cError ? cause.code : undefined;
      // A stop that was under way when the link was lost was ended, so it may come once more. A start is left to its work.
      if (action === 'stop' && code === 'ssh.lost' && attempt < 3) continue;
      const output = [printed, messageOf(cause)].filter((text) => text !== '').join('\n');
      if (code === 'ssh.channel') return { code: null, output };
      return { code: null, output, unanswered: code === 'ssh.lost' ? 'cut off' : 'late' };
    }
  }
}

/** Whether a start that gave no answer has not ended yet. One that never came to the source is not at work. */
export async function isAtWork({ session, place }: Scene, { number }: Application): Promise<boolean> {
  try {
    return (await session.run(readStepCommand(place, number))).stderr.includes(AT_WORK);
  } catch (cause) {
    throw new OutOfReach('the source does not answer', { cause });
  }
}

/** @returns what the step has printed until then: often, what it waits for. */
async function giveUp({ session, place, lease }: Scene, { number }: Application, action: Action): Promise<string> {
  if (action === 'stop') return lenient((await session.run(endStepCommand(place, lease.token))).stdout);
  return session.run(readStepCommand(place, number)).then(
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
