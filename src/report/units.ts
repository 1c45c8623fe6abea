/** Numbers for people. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in decimal units, as podman and docker print sizes: `2.2 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'B'}`;
}

/** Bytes a second. */
export function formatRate(bytes: number, milliseconds: number): string {
  return milliseconds <= 0 ? '-' : `${formatBytes((bytes * 1000) / milliseconds)}/s`;
}

/** Milliseconds as `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 03 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${pad(Math.round(seconds) % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Until then a rate is that of the beginning, and what it promises is nonsense. */
const ESTIMATE_AFTER_MS = 3000;
const ESTIMATE_AFTER_SHARE = 0.005;

/** `3.4 s left` at the rate so far; empty while that tells nothing. */
export function formatTimeLeft(share: number, elapsedMs: number): string {
  if (elapsedMs < ESTIMATE_AFTER_MS || share < ESTIMATE_AFTER_SHARE) return '';
  return `${formatDuration((elapsedMs * (1 - share)) / share)} left`;
}

export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}

/** A whole number with its thousands apart: `73,000`. To have Intl do it takes 15 ms the first time. */
function formatNumber(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A moment by the clock of this machine, with the date where that is not today's: `at 22:00`, `on 2026-11-28 at 22:00`. */
export function formatClock(at: number, precision: 'minute' | 'second' = 'minute'): string {
  const date = new Date(at);
  const minute = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  const time = precision === 'minute' ? minute : `${minute}:${pad(date.getSeconds())}`;
  if (new Date().toDateString() === date.toDateString()) return `at ${time}`;
  return `on ${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} at ${time}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

const NAMED = 3;

/** `web1, web2, web3 and 97 more`. */
export function namesOf(names: readonly string[]): string {
  const told = names.slice(0, NAMED).join(', ');
  return names.length > NAMED ? `${told} and ${names.length - NAMED} more` : told;
}

/** How long ago, as podman words it: `5 minutes ago`. */
export function formatAge(milliseconds: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [365 * 24 * 3600, 'year'],
    [30 * 24 * 3600, 'month'],
    [7 * 24 * 3600, 'week'],
    [24 * 3600, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const seconds = milliseconds / 1000;
  for (const [length, name] of steps) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${formatCount(count, name)} ago`;
  }
  return 'now';
}
