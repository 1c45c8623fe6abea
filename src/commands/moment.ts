/** Moments as podman's options take them. */
import { usageError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * `10m`, `1h30m`: so long ago; seconds since 1970; or a time of ISO 8601.
 * @returns ISO 8601, UTC. @throws P2cError `usage`.
 */
export function parseMoment(option: string, text: string): string {
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)([smhd])/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text) {
    const seconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ''] ?? 0), 0);
    return new Date(Date.now() - seconds * 1000).toISOString();
  }
  const moment = /^[0-9]{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isFinite(moment)) return new Date(moment).toISOString();
  throw usageError(`${option} '${text}' is no moment`, {
    code: 'usage',
    hint: "'10m' or '1h30m' ago, or a time as '2026-01-31T12:00:00Z'",
  });
}
