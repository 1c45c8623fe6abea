/** Where an engine finds what a container is made of. */
import type { Container } from './container.ts';
import type { Place } from './engine.ts';
import { snapshotRoot } from './snapshot.ts';

/** The store's root: `ROOT/containers/ID` lies two below it. */
export function rootOf(folder: string): string {
  return folder.split('/').slice(0, -2).join('/');
}

/** @throws where a layer's snapshot is gone. */
export async function placeOf({ folder, definition }: Container): Promise<Place> {
  const root = rootOf(folder);
  const layers = await Promise.all(definition.layers.map((digest) => snapshotRoot(root, digest)));
  return { id: definition.id, folder, layers, privileged: definition.privileged };
}
