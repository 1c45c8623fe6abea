/** A run as CSV (RFC 4180): one line per host, for spreadsheets. */
import { printable } from '../printable.ts';
import { shownResult } from './html/result.ts';
import type { HostRecord, RunRecord } from './run-record.ts';
import { troubleOf } from './trouble.ts';

const COLUMNS: readonly (readonly [string, (host: HostRecord) => string | number | undefined])[] = [
  ['host', ({ name }) => name],
  ['target', ({ target }) => target],
  ['state', ({ state }) => state],
  ['exit_code', ({ exitCode }) => exitCode],
  ['distribution', ({ facts, result }) => facts?.distribution ?? shownResult(result)?.source?.distribution],
  ['kernel', ({ facts, result }) => facts?.kernel ?? shownResult(result)?.source?.kernel],
  ['image', ({ image }) => image ?? undefined],
  ['digest', ({ result }) => shownResult(result)?.image?.digest],
  ['size_bytes', ({ result }) => shownResult(result)?.image?.size],
  ['entries', ({ result, planned }) => shownResult(result)?.stream?.entries ?? planned?.entries],
  ['captured_bytes', ({ capturedBytes }) => capturedBytes],
  ['kept_bytes', ({ keptBytes }) => keptBytes],
  ['duplicates', ({ result }) => shownResult(result)?.duplicates.total],
  ['unreadable', ({ result }) => shownResult(result)?.settle?.unreadable],
  ['began', ({ began }) => (began === undefined ? undefined : new Date(began).toISOString())],
  ['ended', ({ ended }) => (ended === undefined ? undefined : new Date(ended).toISOString())],
  ['down_ms', ({ downMs }) => (downMs === undefined ? undefined : Math.round(downMs))],
  ['attempts', ({ attempts }) => attempts],
  ['boot', ({ result }) => shownResult(result)?.boot?.outcome],
  ['error_code', (host) => troubleOf(host)?.code],
  ['error', (host) => troubleOf(host)?.message],
  ['hint', (host) => troubleOf(host)?.hint],
];

export function runCsv({ hosts }: RunRecord): string {
  const lines = hosts.map((host) => COLUMNS.map(([, value]) => cell(value(host))).join(','));
  return [COLUMNS.map(([name]) => name).join(','), ...lines, ''].join('\r\n');
}

/** A spreadsheet takes a cell that begins with one of these for a formula, and a server may be called so: OWASP, "CSV Injection". */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = printable(FORMULA.test(value) ? `'${value}` : value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
