/** Turns what zod found into sentences, one for each mistake, with the place it points at. */
import * as z from 'zod';
import { printable } from '../printable.ts';
import { suggestion } from './nearest.ts';

type Issue = z.core.$ZodIssue;

export interface Mistake {
  readonly path: readonly PropertyKey[];
  /** True where the key itself is the mistake, and not its value. */
  readonly atKey: boolean;
  readonly message: string;
}

/** An object that takes no other keys; an unknown one is answered with the nearest that it knows. */
export function strictObject<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      return issue.keys.map((key) => unknownKey(key, known)).join('\n');
    },
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const guess = suggestion(key, known);
  return `unknown key ${show(key)}${guess === '' ? `; known here: ${known.join(', ')}` : guess}`;
}

/** All mistakes, those inside a union too. */
export function mistakesOf(issues: readonly Issue[], base: readonly PropertyKey[] = []): Mistake[] {
  return issues.flatMap((issue): Mistake[] => {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      const sentences = issue.message.split('\n');
      return issue.keys.map((key, index) => ({
        path: [...path, key],
        atKey: true,
        message: `${place(path)}${sentences[index] ?? `unknown key ${show(key)}`}`,
      }));
    }
    if (issue.code === 'invalid_union') return unionMistakes(issue, path);
    if (issue.code === 'invalid_key') {
      const inner = issue.issues[0];
      return [{ path, atKey: true, message: `${place(path)}${inner === undefined ? issue.message : inner.message}` }];
    }
    return [{ path, atKey: false, message: `${place(path)}${sentence(issue)}` }];
  });
}

/** The branch that the author meant takes a value of this kind and finds the fewest mistakes; those are told. */
function unionMistakes(issue: Extract<Issue, { code: 'invalid_union' }>, path: readonly PropertyKey[]): Mistake[] {
  const meant = issue.errors
    .filter((branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
    .sort((a, b) => a.length - b.length)[0];
  if (meant !== undefined) return mistakesOf(meant, path);
  if (issue.input === undefined) return [{ path, atKey: false, message: `${place(path)}is missing` }];
  const wanted = issue.errors.flatMap((branch) =>
    branch.flatMap((inner) => (inner.code === 'invalid_type' ? [kindName(inner.expected)] : [])),
  );
  const message = `expected ${[...new Set(wanted)].join(' or ')}, found ${found(issue.input)}`;
  return [{ path, atKey: false, message: `${place(path)}${message}` }];
}

function sentence(issue: Issue): string {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing';
    return `expected ${kindName(issue.expected)}, found ${found(issue.input)}`;
  }
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const guess = typeof issue.input === 'string' ? suggestion(issue.input, known) : '';
    return `expected ${known.map((word) => `'${word}'`).join(' or ')}, found ${found(issue.input)}${guess}`;
  }
  if (issue.code === 'too_small' && (issue.origin === 'array' || issue.origin === 'string')) return 'is empty';
  if (issue.code === 'too_small') return `${found(issue.input)} is less than ${issue.minimum}`;
  if (issue.code === 'too_big' && issue.origin === 'string') return `is longer than ${issue.maximum} characters`;
  if (issue.code === 'too_big' && issue.origin === 'array') return `has more than ${issue.maximum} items`;
  if (issue.code === 'too_big') return `${found(issue.input)} is more than ${issue.maximum}`;
  return issue.message;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'keys and values',
  record: 'keys and values',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function kindName(kind: string): string {
  return KINDS[kind] ?? kind;
}

function found(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'keys and values';
  return typeof value === 'string' ? show(value) : `${typeof value} ${String(value)}`;
}

function show(text: string): string {
  return `'${printable(text.length > 60 ? `${text.slice(0, 60)}…` : text)}'`;
}

/** A mistake that no schema sees, of the value that the path leads to. */
export function mistakeAt(path: readonly PropertyKey[], message: string): Mistake {
  return { path, atKey: false, message: `${place(path)}${message}` };
}

/** `stop[0].run: `. */
function place(path: readonly PropertyKey[]): string {
  const words = path.map((segment, index) =>
    typeof segment === 'number' ? `[${segment}]` : `${index === 0 ? '' : '.'}${String(segment)}`,
  );
  return words.length === 0 ? '' : `${words.join('')}: `;
}
