/** What stopping and starting would run on a source, for `--dry-run`: as if all of the applications ran. */
import type { PlannedCommand } from '../ssh/session.ts';
import { type Application, applicationsOf } from './application.ts';
import { type Atom, probeCommand } from './checks.ts';
import { FINGERPRINT_COMMAND } from './fingerprint.ts';
import { healthCommand } from './health.ts';
import { plannedKnownServices } from './known-services.ts';
import * as scripts from './lease-scripts.ts';
import { LEASE_PLACE } from './lease-scripts.ts';
import { leftCommand } from './left.ts';
import { formatSeconds } from './quantity.ts';
import type { Profile } from './schema.ts';
import { endStepCommand, readStepCommand, type StepRun, stepCommand } from './step-scripts.ts';
import { type Action, stepLine, stepPurpose } from './steps.ts';
import { watchdogScript } from './watchdog.ts';
import { watched } from './watched.ts';

/** Stands where the lease's secret would be. */
const TOKEN = 'TOKEN';

interface PlannedQuiesce {
  readonly stop: readonly PlannedCommand[];
  readonly start: readonly PlannedCommand[];
  /** Run only where a stop fails, the watchdog is killed, or an earlier run left something behind. */
  readonly trouble: readonly PlannedCommand[];
}

/** @param holder as the lease would name this run. */
export function planQuiesce(
  profiles: readonly Profile[],
  leaseMs: number,
  holder: string,
  end: 'start' | 'leave' = 'start',
): PlannedQuiesce {
  const applications = applicationsOf(profiles);
  if (applications.length === 0) return { stop: [], start: [], trouble: [] };
  const plan = { applications: watched(applications), token: TOKEN, leaseMs, logFile: LEASE_PLACE.logFile };
  const watchdog = watchdogScript(plan);
  const all = applications.flatMap(({ stop, start }) => [
    ...stop.flatMap(({ down }) => down),
    ...start.flatMap(({ up }) => up),
  ]);
  const renewal = scripts.renewCommand(LEASE_PLACE, TOKEN, 1, Math.min(30_000, leaseMs / 3));
  return {
    stop: [
      scripts.lookCommand(LEASE_PLACE),
      probeCommand('see which applications run', all),
      ...plannedKnownServices(applications),
      ...compareCommands(applications),
      { ...scripts.beginCommand(LEASE_PLACE, TOKEN, holder, watchdog), inputText: watchdog },
      { ...renewal, when: `every ${formatSeconds(leaseMs / 3)} from here until the lease is handed back` },
      ...applications.flatMap((application) => application.stop.flatMap((task) => planStop(application, task))),
    ],
    start:
      end === 'leave'
        ? [scripts.handBackCommand(LEASE_PLACE, TOKEN, 'leave')]
        : [...startCommands(applications), ...compareCommands(applications)],
    trouble: [
      { ...endStepCommand(LEASE_PLACE, TOKEN), when: 'only where a stop does not end within its limit' },
      {
        ...readStepCommand(LEASE_PLACE, 0),
        when: 'only where a start does not end within its limit, or the link is lost under it',
      },
      {
        ...leftCommand(LEASE_PLACE, TOKEN, 'APPLICATION', 0),
        when: 'only where a stop failed, until its application is up and stays so',
      },
      { ...scripts.relaunchCommand(LEASE_PLACE, TOKEN), when: 'only where somebody killed the watchdog' },
      { ...scripts.recoverCommand(LEASE_PLACE), when: 'only where an earlier run was killed with its watchdog' },
      { ...scripts.hurryCommand(LEASE_PLACE, 'HOLDER'), when: 'only where a run that is over still holds the server' },
    ],
  };
}

function startCommands(applications: readonly Application[]): PlannedCommand[] {
  const starts = [...applications]
    .reverse()
    .flatMap((application) => [
      ...application.start.flatMap((task) => planStart(application, task)),
      scripts.settleCommand(LEASE_PLACE, TOKEN, application.number),
    ]);
  return [...starts, scripts.handBackCommand(LEASE_PLACE, TOKEN)];
}

/** Before the stop and after the start. */
/** What a source is asked that is to be compared with itself later, or with a container. */
export function compareCommands(applications: readonly Pick<Application, 'name' | 'health'>[]): PlannedCommand[] {
  return [
    FINGERPRINT_COMMAND,
    ...applications.flatMap(({ name, health }) => health.map((check) => healthCommand(name, check))),
  ];
}

function planStop(application: Application, { step, down }: Application['stop'][number]): PlannedCommand[] {
  const stop = planStep(application, 'stop', step, { owe: application.name, pids: [] });
  return [stop, ...look(`see whether ${application.name} is down`, down, step.timeout)];
}

function planStart(application: Application, { step, up }: Application['start'][number]): PlannedCommand[] {
  const start = planStep(application, 'start', step, { wasDown: true });
  return [start, ...look(`see whether ${application.name} is up`, up, step.timeout)];
}

function planStep(
  { name, number }: Application,
  action: Action,
  step: Application['start'][number]['step'],
  kind: StepRun['kind'],
): PlannedCommand {
  const purpose = stepPurpose(name, action, step);
  return stepCommand(LEASE_PLACE, {
    purpose,
    line: stepLine(action, step),
    timeoutMs: step.timeout,
    token: TOKEN,
    number,
    kind,
  });
}

function look(purpose: string, atoms: readonly Atom[], limitMs: number): PlannedCommand[] {
  if (atoms.length === 0) return [];
  return [{ ...probeCommand(purpose, atoms), when: `until it is, for ${formatSeconds(limitMs)} at most` }];
}
