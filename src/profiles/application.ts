/** The applications of a run as the source has them: which of them run, and what of their checks held before the stop. */
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Session } from '../ssh/session.ts';
import { type Atom, type AtomState, atomsOf, parseProbe, probeCommand } from './checks.ts';
import type { HealthCheck } from './health.ts';
import { withKnownServices } from './known-services.ts';
import type { Profile, StartStep, StopStep } from './schema.ts';

export interface StopTask {
  readonly step: StopStep;
  /** What must no longer hold after it. */
  readonly down: readonly Atom[];
}

export interface StartTask {
  readonly step: StartStep;
  /** What must hold after it: what held before the stop. */
  readonly up: readonly Atom[];
}

export interface Application {
  /** Names its marker in the lease. */
  readonly number: number;
  readonly name: string;
  readonly stop: readonly StopTask[];
  readonly start: readonly StartTask[];
  readonly health: readonly HealthCheck[];
}

/** Every step with every check, as the profiles have them: nothing is known of the source yet. */
export function applicationsOf(profiles: readonly Profile[]): Application[] {
  const distinct = profiles.filter((profile, index) => profiles.findIndex((p) => p.name === profile.name) === index);
  return distinct
    .filter((profile) => profile.stop.length > 0)
    .map((profile, number) => ({
      number,
      name: profile.name,
      stop: profile.stop.map((step) => ({ step, down: atomsOf(step.down) })),
      start: profile.start.map((step) => ({ step, up: atomsOf(step.up) })),
      health: profile.health,
    }));
}

export interface Sighted {
  readonly running: readonly Application[];
  /** Names of those that did not run before: they are neither stopped nor started. */
  readonly leftAlone: readonly string[];
}

/** Asks the source which of the applications run, and narrows their checks to what the source can answer. Read-only. */
export async function sightApplications(session: Session, profiles: readonly Profile[]): Promise<Sighted> {
  const applications = applicationsOf(profiles);
  const atoms = applications.flatMap(atomsIn);
  if (atoms.length === 0) return { running: [], leftAlone: [] };
  const states = new Map<Atom, AtomState>();
  const answers = await probe(session, 'see which applications run', atoms);
  for (const [index, atom] of atoms.entries()) {
    const state = answers[index];
    if (state !== undefined) states.set(atom, state);
  }
  const running = applications.filter((application) => runs(application, states));
  return {
    running: await withKnownServices(
      session,
      running.map((application) => narrow(application, states)),
    ),
    leftAlone: applications.filter((application) => !running.includes(application)).map(({ name }) => name),
  };
}

function atomsIn(application: Application): Atom[] {
  return [...application.stop.flatMap((task) => task.down), ...application.start.flatMap((task) => task.up)];
}

/**
 * @returns the state of each atom, in their order.
 * @throws P2cError `quiesce.probe` where the command did not answer for all: silence would pass for "it is down".
 */
export async function probe(session: Session, purpose: string, atoms: readonly Atom[]): Promise<AtomState[]> {
  const { stdout, stderr, code } = await session.run(probeCommand(purpose, atoms));
  const states = parseProbe(stdout, atoms);
  if (states !== undefined) return states;
  throw new P2cError(`'${purpose}' on ${session.target.name} did not answer everything (exit code ${code})`, {
    code: 'quiesce.probe',
    hint: 'the cause is what the server said; --no-stop copies without asking',
    cause: new Error(printable(stderr.trim().slice(-500), { newlines: true }) || 'it said nothing'),
  });
}

/** Processes tell best; a port may be another program's; a `down` command that succeeds says that it is down. */
function runs(application: Application, states: ReadonlyMap<Atom, AtomState>): boolean {
  const atoms = application.stop.flatMap((task) => task.down);
  const of = (kind: Atom['kind']) => atoms.filter((atom) => atom.kind === kind);
  const holds = (atom: Atom): boolean => states.get(atom)?.holds === true;
  if (of('process').length > 0) return of('process').some(holds);
  if (of('port').length > 0) return of('port').some(holds);
  return of('command').some((atom) => !holds(atom));
}

/**
 * A port that another program holds, or nobody, says nothing about this application going down. After the start only
 * that must hold which held before.
 */
function narrow(application: Application, states: ReadonlyMap<Atom, AtomState>): Application {
  const held = (atom: Atom): boolean => states.get(atom)?.holds === true;
  const needed = application.start.filter((task) => hadSomethingUp(task, held));
  return {
    ...application,
    stop: application.stop.map(({ step, down }) => ({
      step,
      down: down.filter((atom) => atom.kind !== 'port' || held(atom)),
    })),
    // Never none: something of it ran, so something of it must be started.
    start: (needed.length > 0 ? needed : application.start).map(({ step, up }) => ({ step, up: up.filter(held) })),
  };
}

/** A start step whose processes were not there before has nothing to start; ports and commands alone do not tell. */
function hadSomethingUp({ up }: StartTask, held: (atom: Atom) => boolean): boolean {
  return !up.some((atom) => atom.kind === 'process') || up.some(held);
}

/** The atoms that still stand in the way of "down". */
export function notDown(atoms: readonly Atom[], states: readonly AtomState[]): { atom: Atom; state: AtomState }[] {
  return pairs(atoms, states).filter(({ atom, state }) => {
    if (atom.kind === 'command') return !state.holds;
    return atom.kind === 'port' ? state.listening : state.holds;
  });
}

/** The atoms that still stand in the way of "up". */
export function notUp(atoms: readonly Atom[], states: readonly AtomState[]): { atom: Atom; state: AtomState }[] {
  return pairs(atoms, states).filter(({ state }) => !state.holds);
}

function pairs(atoms: readonly Atom[], states: readonly AtomState[]): { atom: Atom; state: AtomState }[] {
  return atoms.flatMap((atom, index) => {
    const state = states[index];
    return state === undefined ? [] : [{ atom, state }];
  });
}
