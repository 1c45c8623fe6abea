import { posix } from 'node:path';
import { isAtOrBelow, isBelow } from '../../listing/path.ts';
import type { Bind } from '../../oci/binds.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import type { Draft } from '../draft.ts';
import { ROOT_FOLDERS } from '../of-interest.ts';
import { always, type Recipe } from '../recipe.ts';
import type { Recorded } from '../recorded.ts';

/**
 * A folder that was mounted at a second place is captured where it lies, and nothing mounts it there in a container: the
 * second place would be an empty folder, and a web server serve nothing. A link shows the same files. What was bound as
 * a file needs none: a capture has files at both places.
 */
export const binds: Recipe = {
  name: 'binds',
  summary: 'links to what was mounted a second time (mount --bind)',
  appliesTo: always,
  apply: (draft, _, recorded) => {
    const empty = recorded.binds.filter((bind) => isEmptyPlace(draft, bind));
    for (const bind of empty.sort((a, b) => a.place.length - b.place.length)) {
      if (obstacle(draft, bind, recorded) === undefined) draft.linkFolder(bind.place, bind.original);
    }
    // What was mounted below one of them is seen behind its link by now, or cannot be any more.
    for (const bind of recorded.binds.filter((each) => isEmptyPlace(draft, each))) {
      const why = obstacle(draft, bind, recorded);
      if (why !== undefined)
        draft.passOver(bind.place, `it was a bind mount of ${printablePath(bind.original)}: ${why}`);
    }
  },
};

/** False where the image has no folder there, as what the rules left out, or one that shows the original already. */
function isEmptyPlace(draft: Draft, { place, original }: Bind): boolean {
  const real = draft.real(place);
  if (real === undefined || real === draft.real(original) || draft.target(place) !== undefined) return false;
  return real !== place || draft.kind(place) === 'directory';
}

/** Why a link would do harm, or no good. */
function obstacle(draft: Draft, { place, original }: Bind, { volumes }: Recorded): string | undefined {
  if (draft.real(place) !== place) return 'what is above it is a link';
  const volume = volumes.find((each) => isAtOrBelow(each, place) || isBelow(place, each));
  if (volume !== undefined) {
    const way = `a capture with --exclude ${printablePath(original)} has the files in it`;
    return `the volume ${printablePath(volume)} is mounted there; ${way}`;
  }
  const root = rootAround(draft, place, original);
  if (root !== undefined) return `a link leads nowhere for programs whose root is ${printablePath(root)}`;
  const [name] = draft.names(place);
  if (name !== undefined) return `the image has something in it: ${printablePath(name as ByteString)}`;
  if (isAtOrBelow(original, place)) return 'it would show itself';
  const there = draft.kind(original) === 'directory' || volumes.some((each) => isBelow(original, each));
  return there ? undefined : 'the image has no such folder';
}

/**
 * The root of a chroot(2) that a place lies in: what is found below it under the same path as outside, as BIND's
 * /var/named/chroot/etc/named, or has several of a root's folders, as Postfix's has. There a link begins at that root, and
 * what it is to show lies outside of it.
 */
function rootAround(draft: Draft, place: ByteString, original: ByteString): ByteString | undefined {
  if (place.endsWith(original)) return place.slice(0, -original.length) as ByteString;
  for (let above = posix.dirname(place); above !== '/'; above = posix.dirname(above)) {
    if (ROOT_FOLDERS.filter((name) => draft.kind(posix.join(above, name)) !== undefined).length >= 3) {
      return above as ByteString;
    }
  }
  return undefined;
}
