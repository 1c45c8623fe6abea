/** What recipes may look at: configuration, init, the programs that they start, and the places of bind mounts. */
import { posix } from 'node:path';
import type { Bind } from '../oci/binds.ts';

/** Whether a tree knows what lies at a path, and around it. */
export type Interest = (path: string) => boolean;

const OF_INTEREST =
  /^\/(?:[^/]*|etc\/.*|(?:usr\/)?s?bin\/[^/]+|usr\/[^/]+|(?:usr\/)?lib\/[^/]+|(?:usr\/)?lib\/(?:systemd|init|os\.release\.d)\/.*|usr\/local\/lib(?:\/systemd(?:\/.*)?)?|dev\/shm|var|var\/lib|var\/lib\/dbus(?:\/.*)?)$/;

export function isOfInterest(path: string): boolean {
  return OF_INTEREST.test(path);
}

/** Folders of which a root has several. */
export const ROOT_FOLDERS: readonly string[] = ['bin', 'dev', 'etc', 'lib', 'lib64', 'proc', 'sbin', 'usr'];

/** Of bind mounts in addition: both ends and the way there, whether the place is empty, and whether it lies in another root. */
export function interestIn(binds: readonly Bind[]): Interest {
  if (binds.length === 0) return isOfInterest;
  const paths = new Set<string>();
  const add = (path: string): void => {
    for (let at = path; at !== '/' && !paths.has(at); at = posix.dirname(at)) {
      paths.add(at);
      for (const name of ROOT_FOLDERS) paths.add(posix.join(posix.dirname(at), name));
    }
  };
  for (const { place, original } of binds) for (const path of [place, original]) add(path);
  const places = new Set<string>(binds.map(({ place }) => place));
  return (path) => isOfInterest(path) || paths.has(path) || places.has(posix.dirname(path));
}
