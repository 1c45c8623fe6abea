/** Puts a new container in quarantine: what acts by itself is held back before its first start. */
import type { Services } from '../../oci/services.ts';
import type { LayerRoot } from '../root-path.ts';
import { changeRoot, type RootChange } from './change-root.ts';
import { findHolds } from './find.ts';
import type { Hold } from './hold.ts';
import { writeHolds } from './record.ts';
import { serviceHolds } from './services.ts';

/**
 * @param folder of a container that has not been started.
 * @param services those that a script starts; none where an init does.
 * @returns what is held back.
 */
export async function holdBack(folder: string, layers: readonly LayerRoot[], services: Services): Promise<Hold[]> {
  const holds = [...findHolds(layers), ...serviceHolds(layers, services)];
  await changeRoot(folder, layers, doing(holds));
  await writeHolds(folder, holds);
  return holds;
}

function doing(holds: readonly Hold[]): RootChange[] {
  return holds
    .flatMap(({ changes }) => changes)
    .map((change) => {
      if (change.how === 'unlink') return ['unlink', change.path];
      return change.how === 'rename' ? ['rename', change.path, change.to] : ['write', change.path, change.text];
    });
}

/** Undoes them. */
export function undoing(holds: readonly Hold[]): RootChange[] {
  return holds
    .flatMap(({ changes }) => changes)
    .map((change) => {
      if (change.how === 'unlink') return ['link', change.path, change.target];
      return change.how === 'rename' ? ['rename', change.to, change.path] : ['remove', change.path];
    });
}

/** `cron, exim4, 3 timers`. */
export function holdsText(holds: readonly Hold[]): string {
  const services = new Set(holds.filter(({ kind }) => kind !== 'timers').map(({ name }) => name.replace(/\..*$/, '')));
  const timers = holds.filter(({ kind }) => kind === 'timers').length;
  const counted = timers === 0 ? [] : [timers === 1 ? 'one timer' : `${timers} timers`];
  return [...[...services].sort(), ...counted].join(', ');
}
