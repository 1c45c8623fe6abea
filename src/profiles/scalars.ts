/** Durations, sizes and ports as values of a file, each with its own words for what is wrong. */
import * as z from 'zod';
import { parseDuration, parseSize } from './quantity.ts';

export const durationSchema = z.union([z.string().min(1), z.number()]).transform((value, context): number => {
  const ms = parseDuration(String(value));
  if (ms !== undefined && ms >= 1000 && ms <= 24 * 3_600_000) return ms;
  const message =
    ms === undefined
      ? `'${value}' is no duration: write '30s', '2m' or '1h30m'`
      : `'${value}' is not between 1s and 24h`;
  context.issues.push({ code: 'custom', message, input: value });
  return z.NEVER;
});

export const sizeSchema = z.union([z.int().min(1), z.string().min(1)]).transform((value, context): number => {
  const bytes = parseSize(String(value));
  if (bytes !== undefined && bytes > 0) return bytes;
  context.issues.push({ code: 'custom', message: `'${value}' is no size: write '512m' or '1g'`, input: value });
  return z.NEVER;
});

export interface Port {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** `80`, `80/tcp`, `53/udp`. */
export const portSchema = z.union([z.int(), z.string().min(1)]).transform((value, context): Port => {
  const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(String(value));
  const port = Number(match?.[1] ?? 0);
  if (port >= 1 && port <= 65_535) return { port, protocol: match?.[2] === 'udp' ? 'udp' : 'tcp' };
  context.issues.push({ code: 'custom', message: `'${value}' is no port: write 80 or '53/udp'`, input: value });
  return z.NEVER;
});
