/** Where an engine finds what a container is made of. */
import type { Container } from './container.ts';
import type { Place } from './engine.ts';
import { snapshotRoot } from './snapshot.ts';

/** @throws where a layer's snapshot is gone. */
export async function placeOf({ folder, definition }: Container): Promise<Place> {
  // `ROOT/containers/ID` lies two below the root.
  const root = folder.split('/').slice(0, -2).join('/');
  const layers = await Promise.all(definition.layers.map((digest) => snapshotRoot(root, digest)));
  return { id: definition.id, folder, layers, privileged: definition.privileged };
}
