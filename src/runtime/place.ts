/** Where an engine finds what a container is made of. */
import { P2cError } from '../errors.ts';
import type { Container } from './container.ts';
import type { Place } from './engine.ts';
import { idMapKey } from './rootless/user-namespace.ts';
import { snapshotRoot } from './snapshot.ts';

/** The store's root: `ROOT/containers/ID` lies two below it. */
export function rootOf(folder: string): string {
  return folder.split('/').slice(0, -2).join('/');
}

/** @throws P2cError `container.owner` where its files belong to others; where a layer's snapshot is gone. */
export async function placeOf({ folder, definition }: Container): Promise<Place> {
  if (definition.idMap !== idMapKey()) throw otherOwners(definition.name, definition.idMap);
  const root = rootOf(folder);
  const layers = await Promise.all(definition.layers.map((digest) => snapshotRoot(root, digest)));
  return { id: definition.id, folder, layers, privileged: definition.privileged };
}

/** Run under another map, all its files would be strangers'. */
function otherOwners(name: string, map: string | undefined): P2cError {
  const whose = map === undefined ? 'root' : 'a user without root, or before his subordinate ids were changed';
  return new P2cError(`the container '${name}' was made by ${whose}: its files have other owners here`, {
    code: 'container.owner',
    hint:
      map === undefined
        ? 'sudo p2c …'
        : "run p2c as that user, with the lines that /etc/subuid had; 'p2c rm' removes it",
  });
}
