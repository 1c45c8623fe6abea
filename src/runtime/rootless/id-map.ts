/** Which ids of the machine a user's containers have: root is the user, the others are those of /etc/subuid and /etc/subgid. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type IdRange, subordinateRanges } from '../machine/subordinate-ids.ts';

export interface IdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** The own id first. */
export function readIdMap(): IdMap {
  const { username: name, uid, gid } = userInfo();
  const user = { name, id: uid };
  return {
    uids: [{ first: uid, count: 1 }, ...subordinateRanges(textOf('/etc/subuid'), user)],
    gids: [{ first: gid, count: 1 }, ...subordinateRanges(textOf('/etc/subgid'), user)],
  };
}

/** Triples for newuidmap(1) and newgidmap(1): the ids in the namespace follow each other from 0. */
export function mapTriples(ranges: readonly IdRange[]): string[][] {
  let next = 0;
  return ranges.map(({ first, count }) => {
    const inside = next;
    next += count;
    return [String(inside), String(first), String(count)];
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
