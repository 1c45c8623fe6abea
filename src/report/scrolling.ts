/** Keys that scroll a list on a terminal. */

/** How far the list can be scrolled, and how many of its lines are seen at once. */
export interface Scrolled {
  readonly last: number;
  readonly page: number;
}

/** An escape sequence, or one character: several keys may arrive in one read. */
const KEY = /\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/g;

/** @returns the lines that are scrolled past once all of the keys are obeyed; others than those that scroll change nothing. */
export function scrolledTo(offset: number, keys: string, { last, page }: Scrolled): number {
  let now = offset;
  for (const [key] of keys.matchAll(KEY)) {
    const to = targetOf(key, now, { last, page });
    now = Math.max(0, Math.min(last, to));
  }
  return now;
}

/** In either of the two modes of a terminal's keypad. */
function targetOf(key: string, offset: number, { last, page }: Scrolled): number {
  switch (key.replace('\x1bO', '\x1b[')) {
    case '\x1b[A':
      return offset - 1;
    case '\x1b[B':
      return offset + 1;
    case '\x1b[5~':
      return offset - page;
    case '\x1b[6~':
      return offset + page;
    case '\x1b[H':
    case '\x1b[1~':
      return 0;
    case '\x1b[F':
    case '\x1b[4~':
      return last;
    default:
      return offset;
  }
}
