/** Looks at an application until it is up. */
import { type Application, notUp, probe, type StartTask } from './application.ts';
import { type Atom, type AtomState, nameOfAtom } from './checks.ts';
import { pause } from './pause.ts';
import { OutOfReach, type Scene } from './step-execution.ts';

/** @throws OutOfReach. */
export async function askOf(scene: Scene, purpose: string, atoms: readonly Atom[]): Promise<AtomState[]> {
  try {
    return await probe(scene.session, purpose, atoms);
  } catch (cause) {
    throw new OutOfReach('the source does not answer', { cause });
  }
}

interface Patience {
  readonly limitMs: number;
  /** How long it must be up to count. */
  readonly settleMs: number;
  /** Whether a start that may yet bring its first process is at work. */
  readonly atWork?: (() => Promise<boolean>) | undefined;
}

/**
 * @returns what is not up at the end, named; gives up early where no process of it is there to become ready.
 * @throws OutOfReach.
 */
export async function waitForUp(
  scene: Scene,
  application: Application,
  task: Pick<StartTask, 'up'>,
  { limitMs, settleMs, atWork = async () => false }: Patience,
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
    let hopeless = goneSince !== undefined && now - goneSince > 5000;
    if (hopeless && now < deadline && (await atWork())) {
      hopeless = false;
      goneSince = now;
    }
    if (upSince === undefined && (hopeless || now >= deadline)) {
      return missing.map(({ atom }) => `${nameOfAtom(atom)} is not there`);
    }
    await pause(interval.next());
  }
}

/** Between two looks: short at first, for most things are quick; a second later on, for each look is a command there. */
export class Interval {
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
