/** Stop and start of applications that no shipped profile knows, where the server's own services know how. */
import type { Detection } from '../profiles/detect.ts';
import type { Port } from '../profiles/scalars.ts';
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import { applicationListeners } from './ports.ts';

export interface OwnStep {
  readonly service: string;
  /** Names of processes, as the kernel keeps them. */
  readonly processes: readonly string[];
  readonly ports: readonly Port[];
}

interface Steps {
  readonly steps: readonly OwnStep[];
  readonly unexplained: readonly string[];
}

export function stepsFor(inspection: Inspection, detections: readonly Detection[]): Steps {
  const handled = new Set(
    detections.flatMap(({ profile }) => profile.detect.process.map(({ name }) => name.slice(0, 15))),
  );
  const byPid = new Map(valueOr(inspection.processes, []).map((process) => [process.pid, process]));
  const steps = new Map<string, { processes: Set<string>; ports: Port[] }>();
  const unexplained = new Map<string, Set<string>>();
  for (const { port, protocol, owners } of applicationListeners(inspection)) {
    for (const { pid, name } of owners) {
      const process = byPid.get(pid);
      if (process === undefined || process.inContainer || handled.has(name)) continue;
      const service = serviceOf(inspection, process.unit, name);
      if (service === undefined) {
        const label = `${name} (${process.exe ?? 'its program is not known'})`;
        unexplained.set(label, (unexplained.get(label) ?? new Set()).add(`${port}/${protocol}`));
        continue;
      }
      const step = steps.get(service) ?? { processes: new Set<string>(), ports: [] };
      step.processes.add(name);
      if (!step.ports.some((one) => one.port === port && one.protocol === protocol))
        step.ports.push({ port, protocol });
      steps.set(service, step);
    }
  }
  return {
    steps: [...steps].map(([service, { processes, ports }]) => ({ service, processes: [...processes], ports })),
    unexplained: [...unexplained].map(([label, ports]) => `${label} listens on ${[...ports].join(', ')}`),
  };
}

/** systemd says which service a process is of; elsewhere a service of the same name is taken to be its. */
function serviceOf({ services }: Inspection, unit: string | undefined, process: string): string | undefined {
  const known = valueOr(services, []).filter(({ manager }) => manager !== 'inittab' && manager !== 'inetd');
  const names = [unit, process, process.replace(/d$/, '')];
  return names.find(
    (name) =>
      name !== undefined && /^[A-Za-z0-9][\w.@:-]*$/.test(name) && known.some((service) => service.name === name),
  );
}
