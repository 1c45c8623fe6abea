/** The user and group ids that a user may use beside the own one, for containers without root (subuid(5)). */

/** Ids one after the other. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

interface User {
  readonly name: string;
  readonly id: number;
}

/** What a file of lines `NAME:FIRST:COUNT` gives to the user. */
export function subordinateRanges(text: string, user: User): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [owner, first = '', count = ''] = line.trim().split(':');
    const isOwn = owner === user.name || owner === String(user.id);
    if (!isOwn || !/^\d+$/.test(first) || !/^[1-9]\d*$/.test(count)) return [];
    return [{ first: Number(first), count: Number(count) }];
  });
}

/** How many ids the ranges hold. */
export function countIds(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0);
}
