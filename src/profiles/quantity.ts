/** Durations and sizes as people write them: `60s`, `2m`, `1h30m`; `64k`, `1g`, `1.5GiB`. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/** @returns milliseconds, or undefined where the text is no duration. A bare number is refused: of what unit? */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32 || !DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}

const POWER: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4 };

/** @returns bytes (k, m, g, t are powers of 1024, as in podman), or undefined where the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(?<count>\d{1,15}(?:\.\d{1,6})?)\s?(?<unit>[kmgt]?)(?:i?b)?$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match.groups?.['unit'] ?? '').toLowerCase();
  const bytes = Math.round(Number(match.groups?.['count']) * 1024 ** (POWER[unit] ?? 0));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `95 s`, `0.4 s`, `2 min 5 s`: for messages. */
export function formatSeconds(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
