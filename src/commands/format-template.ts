/**
 * The part of podman's `--format` that scripts use: text with `{{.Field}}`, `{{.Field.Inner}}`, `{{json .}}` and
 * `{{json .Field}}`; `\t` and `\n` in it are a tab and a line feed. `json` alone means the whole record.
 */
import { usageError } from '../errors.ts';
import { jsonText, printable } from '../printable.ts';
import { nearest } from '../profiles/nearest.ts';

type Piece = string | { readonly path: readonly string[]; readonly json: boolean };

/** @returns a function that words a record. @throws P2cError `usage`: what is not of that part. */
export function parseFormat(text: string): (record: object) => string {
  if (text === 'json') return (record) => jsonText(record);
  const pieces = piecesOf(text.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
  return (record) => pieces.map((piece) => (typeof piece === 'string' ? piece : wordOf(record, piece))).join('');
}

function piecesOf(text: string): Piece[] {
  // Go's own `table` is a heading of the columns; scripts leave it out.
  const body = text.startsWith('table ') ? text.slice('table '.length) : text;
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of body.matchAll(/\{\{([^}]*)\}\}/g)) {
    pieces.push(body.slice(end, found.index), field(found[1] ?? ''));
    end = found.index + found[0].length;
  }
  const rest = body.slice(end);
  if (rest.includes('{{')) throw refused(rest, 'is not closed');
  return [...pieces, rest];
}

function field(text: string): Piece {
  const found = /^\s*(json\s+)?\.([A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\s*$/.exec(text);
  if (found === null) throw refused(`{{${text}}}`, 'is not understood');
  return { path: (found[2] ?? '').split('.').filter((name) => name !== ''), json: found[1] !== undefined };
}

function wordOf(record: object, { path, json }: Exclude<Piece, string>): string {
  let value: unknown = record;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return '';
    const entries: [string, unknown][] = Object.entries(value);
    const found = entries.find(([key]) => key === name);
    if (found === undefined)
      throw unknownField(
        name,
        entries.map(([key]) => key),
      );
    value = found[1];
  }
  if (json) return jsonText(value ?? null);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return jsonText(value);
  return printable(Array.isArray(value) ? value.map(String).join(',') : String(value ?? ''), { newlines: true });
}

function unknownField(name: string, known: readonly string[]) {
  const similar = nearest(name, known);
  return usageError(`--format: there is no field '${name}'`, {
    code: 'usage',
    hint: similar === undefined ? `there are ${known.join(', ')}` : `did you mean '${similar}'?`,
  });
}

function refused(text: string, why: string) {
  return usageError(`--format: '${text}' ${why}`, { code: 'usage', hint: "'{{.Field}}' and '{{json .}}' are" });
}
