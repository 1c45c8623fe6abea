/**
 * Reads a YAML file that a person wrote and checks it against a zod schema. All mistakes of a file come in one error,
 * each with file, line and column. Such files may come from strangers: their size, nesting and aliases are bounded.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type * as z from 'zod';
import { messageOf, systemCode, usageError } from '../errors.ts';
import { printable } from '../printable.ts';
import { type Mistake, mistakesOf } from './mistakes.ts';

/** Larger than any hand-written profile or inventory by two orders of magnitude. */
const MAX_BYTES = 1024 * 1024;
const MAX_MISTAKES = 50;

export interface YamlKind {
  /** What the file is, for messages: `profile`, `inventory`. */
  readonly noun: string;
  /** The code of its errors: `profile.invalid`. */
  readonly code: string;
  readonly hint?: string;
}

/**
 * @throws P2cError (exit code 2) where the file cannot be read or holds mistakes: one line `file:line:column: what`
 * for each of them.
 */
export function readYamlFile<Schema extends z.ZodType>(file: string, schema: Schema, kind: YamlKind): z.output<Schema> {
  return readPlacedYaml(file, schema, kind).content;
}

/** What a file holds, and where. */
export interface PlacedYaml<Content> {
  readonly content: Content;
  /** `file:line:column` of what the path leads to, or of what encloses it where there is nothing. */
  place(path: readonly PropertyKey[]): string;
  /** The error for mistakes that the schema cannot see. */
  refuse(mistakes: readonly Mistake[]): Error;
}

/** As {@link readYamlFile}, for whoever has more to say of what the file holds. */
export function readPlacedYaml<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  kind: YamlKind,
): PlacedYaml<z.output<Schema>> {
  return parseYaml(readBounded(file, kind), file, schema, kind);
}

/** The same for text already read; `file` is only its name in messages. */
function parseYaml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  kind: YamlKind,
): PlacedYaml<z.output<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
  });
  const refuse = (mistakes: readonly Placed[]): Error => describe(mistakes, file, lines, kind);

  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) throw refuse(syntax.map((error) => ({ offset: error.pos[0], message: error.message })));
  const structure = structuralMistakes(document.contents);
  if (structure.length > 0) throw refuse(structure);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw refuse([{ offset: 0, message: `cannot be expanded: ${messageOf(cause)}` }]);
  }
  const offset = (mistake: Pick<Mistake, 'path' | 'atKey'>): number => offsetOf(document.contents, mistake, document);
  const refuseAt = (mistakes: readonly Mistake[]): Error =>
    refuse(mistakes.map((mistake) => ({ offset: offset(mistake), message: mistake.message })));
  const checked = schema.safeParse(value, { reportInput: true });
  if (!checked.success) throw refuseAt(mistakesOf(checked.error.issues));
  return {
    content: checked.data,
    place: (path) => placeOf(file, lines, offset({ path, atKey: false })),
    refuse: refuseAt,
  };
}

interface Placed {
  readonly offset: number;
  readonly message: string;
}

function describe(mistakes: readonly Placed[], file: string, lines: LineCounter, kind: YamlKind): Error {
  const sorted = [...mistakes].sort((a, b) => a.offset - b.offset);
  const shown = sorted.slice(0, MAX_MISTAKES).map(({ offset, message }) => {
    return `${placeOf(file, lines, offset)}: ${printable(message)}`;
  });
  if (sorted.length > MAX_MISTAKES) shown.push(`… and ${sorted.length - MAX_MISTAKES} more`);
  const heading = mistakes.length === 1 ? [] : [`the ${kind.noun} ${file} has ${mistakes.length} mistakes`];
  return usageError([...heading, ...shown].join('\n'), {
    code: kind.code,
    ...(kind.hint === undefined ? {} : { hint: kind.hint }),
  });
}

function placeOf(file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
}

function readBounded(file: string, kind: YamlKind): string {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (cause) {
    const missing = systemCode(cause) === 'ENOENT';
    throw usageError(missing ? `there is no ${kind.noun} ${file}` : `cannot open the ${kind.noun} ${file}`, {
      code: missing ? `${kind.noun}.missing` : `${kind.noun}.unreadable`,
      cause,
    });
  }
  try {
    if (!fstatSync(handle).isFile()) throw usageError(`${file} is not a file`, { code: `${kind.noun}.unreadable` });
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let count = 1; count > 0 && length < buffer.length; length += count) {
      count = readSync(handle, buffer, length, buffer.length - length, null);
    }
    if (length > MAX_BYTES) {
      throw usageError(`the ${kind.noun} ${file} is larger than ${MAX_BYTES / 1024} KiB`, { code: kind.code });
    }
    return decode(buffer.subarray(0, length), file, kind);
  } finally {
    closeSync(handle);
  }
}

function decode(bytes: Uint8Array, file: string, kind: YamlKind): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw usageError(`the ${kind.noun} ${file} is not UTF-8 text`, { code: kind.code, cause });
  }
}

const MAX_DEPTH = 32;

/** Keys given twice, and nesting below {@link MAX_DEPTH}: conversion and checking recurse, and the stack is finite. */
function structuralMistakes(root: ParsedNode | null): Placed[] {
  const mistakes: Placed[] = [];
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const node of level) {
      if (isMap(node)) {
        mistakes.push(...repeatedKeys(node));
        next.push(...node.items.map((pair) => pair.value));
      } else if (isSeq(node)) next.push(...node.items);
    }
    const deep = depth >= MAX_DEPTH ? next.find((node) => isMap(node) || isSeq(node)) : undefined;
    if (deep !== undefined) return [...mistakes, { offset: startOf(deep) ?? 0, message: 'is nested too deeply' }];
    level = next;
  }
  return mistakes;
}

function repeatedKeys(map: YAMLMap): Placed[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined || !seen.has(name)) {
      seen.add(name ?? '');
      return [];
    }
    return [{ offset: startOf(key) ?? 0, message: `the key '${name}' is there twice` }];
  });
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

/** Where a mistake lies: its key, its value, or what encloses it where it is missing. */
function offsetOf(
  root: Node | null,
  mistake: Pick<Mistake, 'path' | 'atKey'>,
  document: Parameters<typeof resolve>[1],
): number {
  let node: unknown = resolve(root, document);
  let offset = startOf(node) ?? 0;
  for (const [index, segment] of mistake.path.entries()) {
    const last = index === mistake.path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
      if (pair === undefined) return offset;
      const value = isScalar(pair.value) && pair.value.value === null ? undefined : startOf(pair.value);
      offset = (last && mistake.atKey ? undefined : value) ?? startOf(pair.key) ?? offset;
      node = resolve(pair.value, document);
    } else if (isSeq(node)) {
      const item = node.items[Number(segment)];
      offset = startOf(item) ?? offset;
      node = resolve(item, document);
    } else return offset;
  }
  return offset;
}

function resolve(node: unknown, document: Parameters<import('yaml').Alias['resolve']>[0]): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}
