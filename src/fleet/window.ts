/**
 * Maintenance windows: when a host may be begun. In the time of the machine that p2c runs on.
 *
 *     Sat 22:00-04:00              each week; over midnight where it ends before it begins
 *     Mon-Fri,Sun 20:00-06:00
 *     daily 01:00-05:00
 *     2026-11-28 22:00 - 2026-11-29 04:00   once
 */

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const WEEKLY = /^([A-Za-z]{3}(?:[-,][A-Za-z]{3})*|daily)\s+(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/;
const ONCE = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})\s*-\s*(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})$/;
const MINUTES_OF_A_DAY = 24 * 60;

/** @returns when it is open next, in milliseconds since 1970: `now` while it is; undefined where it never is again. */
export type Window = (now: number) => number | undefined;

/** Undefined where the text is no window. */
export function parseWindow(text: string): Window | undefined {
  return weekly(text.trim()) ?? once(text.trim());
}

function once(text: string): Window | undefined {
  const [, day = '', time = '', lastDay = '', lastTime = ''] = ONCE.exec(text) ?? [];
  const begin = new Date(`${day}T${time}:00`).getTime();
  const end = new Date(`${lastDay}T${lastTime}:00`).getTime();
  if (!(begin < end)) return undefined;
  return (now) => (now < end ? Math.max(now, begin) : undefined);
}

function weekly(text: string): Window | undefined {
  const [, words = '', ...numbers] = WEEKLY.exec(text) ?? [];
  const days = daysOf(words);
  const [beginHour = 99, beginMinute = 99, endHour = 99, endMinute = 99] = numbers.map(Number);
  const begin = beginHour * 60 + beginMinute;
  const end = endHour * 60 + endMinute;
  if (days === undefined || beginMinute > 59 || endMinute > 59) return undefined;
  if (begin >= MINUTES_OF_A_DAY || end > MINUTES_OF_A_DAY || begin === end) return undefined;
  const last = end > begin ? end : end + MINUTES_OF_A_DAY;
  return (now) => nextOf(now, days, begin, last);
}

/** Yesterday's may still be open; a week holds every day. */
function nextOf(now: number, days: ReadonlySet<number>, begin: number, end: number): number | undefined {
  const today = new Date(now);
  for (let offset = -1; offset <= 7; offset += 1) {
    // The clock's own way over the days on which it is set forward or back.
    const at = (minutes: number): number =>
      new Date(today.getFullYear(), today.getMonth(), today.getDate() + offset, 0, minutes).getTime();
    const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() + offset).getDay();
    if (days.has(day) && at(end) > now) return Math.max(now, at(begin));
  }
  return undefined;
}

function daysOf(words: string): Set<number> | undefined {
  if (words === 'daily') return new Set(DAYS.keys());
  const days = new Set<number>();
  for (const word of words.split(',')) {
    const [first = -1, last = first, ...more] = word.split('-').map(dayOf);
    if (first < 0 || last < 0 || more.length > 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return days;
}

function dayOf(word: string): number {
  return DAYS.findIndex((day) => day.toLowerCase() === word.toLowerCase());
}

/** The first of several that opens: Infinity where none does again. */
export function opensAt(windows: readonly Window[]): ((now: number) => number) | undefined {
  if (windows.length === 0) return undefined;
  return (now) => Math.min(...windows.map((window) => window(now) ?? Number.POSITIVE_INFINITY));
}
