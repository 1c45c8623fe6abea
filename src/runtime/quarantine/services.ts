/** What is held back of the applications that a script starts in place of an init (see services-script.ts). */
import type { ServiceStep, Services } from '../../oci/services.ts';
import { startScript } from '../init/services-script.ts';
import { type LayerRoot, resolveInRoot } from '../root-path.ts';
import { HELD_FOLDER, type Hold, heldName, kindOf } from './hold.ts';

/** For each a file, which the script at PID 1 goes by, with what `p2c release` runs to start it. */
export function serviceHolds(layers: readonly LayerRoot[], services: Services): Hold[] {
  const held = new Map<string, { service: string; steps: ServiceStep[] }[]>();
  for (const { name: service, start, stop } of services) {
    for (const name of new Set([...start, ...stop].map((step) => heldName(service, step.service)))) {
      if (name === undefined) continue;
      const steps = start.filter((step) => heldName(service, step.service) === name);
      held.set(name, [...(held.get(name) ?? []), { service, steps }]);
    }
  }
  return [...held].flatMap(([name, own]) => {
    const kind = kindOf(name);
    if (kind === undefined) return [];
    const { path } = resolveInRoot(layers, `${HELD_FOLDER}/${name}`);
    return [{ kind, name, init: 'services', changes: [{ how: 'add', path, text: startScript(own) }] }];
  });
}
