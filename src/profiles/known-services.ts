/** Of the names that a profile gives for one service, the one that a source has: it is what people are told to type. */
import type { RemoteCommand, Session } from '../ssh/session.ts';
import type { Application } from './application.ts';
import { knownServicesScript } from './service.ts';

/** The applications with one name in each service step, where the source knows one. Read-only. */
export async function withKnownServices(
  session: Session,
  applications: readonly Application[],
): Promise<readonly Application[]> {
  const lists = listsOf(applications);
  if (lists.length === 0) return applications;
  const known = new Map<string, string>();
  for (const line of (await session.run(knownServicesCommand(lists))).stdout.toString('utf8').split('\n')) {
    const [index, name] = line.split(' ');
    const list = lists[Number(index)];
    if (list !== undefined && name !== undefined && list.includes(name)) known.set(keyOf(list), name);
  }
  const named = <Step extends { service?: string[] | undefined }>(step: Step): Step => {
    const name = known.get(keyOf(step.service ?? []));
    return name === undefined ? step : { ...step, service: [name] };
  };
  return applications.map((application) => ({
    ...application,
    stop: application.stop.map((task) => ({ ...task, step: named(task.step) })),
    start: application.start.map((task) => ({ ...task, step: named(task.step) })),
  }));
}

/** For `--dry-run`: what would be asked; undefined where nothing is in question. */
export function plannedKnownServices(applications: readonly Application[]): RemoteCommand[] {
  const lists = listsOf(applications);
  return lists.length === 0 ? [] : [knownServicesCommand(lists)];
}

function knownServicesCommand(lists: readonly (readonly string[])[]): RemoteCommand {
  return { purpose: 'see by which name the server knows each service', script: knownServicesScript(lists) };
}

function keyOf(names: readonly string[]): string {
  return names.join(' ');
}

function listsOf(applications: readonly Application[]): string[][] {
  const lists = applications.flatMap(({ stop, start }) =>
    [...stop, ...start].flatMap(({ step }) => (step.service === undefined ? [] : [step.service])),
  );
  return [...new Map(lists.filter((names) => names.length > 1).map((names) => [keyOf(names), names])).values()];
}
