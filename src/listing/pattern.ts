// The grammar of selection patterns, in full:
//
//   /opt/app        the path itself and everything below it
//   /opt/app/       the same, where it is a directory
//   /opt/app/**     everything below it; the directory itself is not matched
//   /opt/*/cache    `*` is any run of characters within one component, `?` one character, `[a-z]` one of a set
//   /**/core        `**` between slashes is any number of components, none included
//   /a\*b           a backslash takes the next character as it is
//
// A pattern is anchored: it begins with `/` and is compared with whole paths. tar's `--exclude root` drops every
// component named `root`; nothing here can.
import { posix } from 'node:path';
import { usageError } from '../errors.ts';
import { type ByteString, byteStringFromText } from '../printable.ts';
import type { Entry } from './entry.ts';
import { isBelow } from './path.ts';

export interface Pattern {
  readonly text: string;
  matches(entry: Pick<Entry, 'path' | 'type'>): boolean;
  /** Whether it matches everything below a directory, whatever the names. */
  matchesAllBelow(path: ByteString): boolean;
  /** True for `/opt/app/**`: then the directory that an entry lies in tells whether it is matched. */
  readonly contents: boolean;
  /** False where nothing below a directory can be matched. */
  mayMatchBelow(path: ByteString): boolean;
  /** Higher is more specific: components first, then literal characters. Decides between rules of one level. */
  readonly specificity: number;
}

/** The same rules are asked for several times in a run, with more and more known. */
const parsed = new Map<string, Pattern>();
const MOST_KEPT = 10_000;

/** @throws P2cError `rule.invalid` with the pattern and what is wrong with it. */
export function parsePattern(text: string): Pattern {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const pattern = parseAnew(text);
  if (parsed.size < MOST_KEPT) parsed.set(text, pattern);
  return pattern;
}

function parseAnew(text: string): Pattern {
  if (text === '') throw invalid(text, 'is empty');
  if (!text.startsWith('/')) throw invalid(text, "does not begin with '/'", `write '/${text}' or '/**/${text}'`);
  if (text.includes('\0')) throw invalid(text, 'holds a NUL byte');
  const contents = text.endsWith('/**');
  const directoryOnly = !contents && text.length > 1 && text.endsWith('/');
  const bare = contents ? text.slice(0, -3) : directoryOnly ? text.slice(0, -1) : text;
  const components = bare.split('/').slice(1);
  checkComponents(text, components, contents);
  return new PathPattern(text, bare, components, contents, directoryOnly);
}

/** A class: millions of paths are held against each, and V8 makes one thing of all of them only where they are of one. */
class PathPattern implements Pattern {
  readonly text: string;
  readonly specificity: number;
  readonly #isRoot: boolean;
  readonly contents: boolean;
  readonly #directoryOnly: boolean;
  readonly #literal: ByteString;
  readonly #needle: ByteString;
  readonly #exact: RegExp;
  readonly #below: RegExp;

  constructor(text: string, bare: string, components: readonly string[], contents: boolean, directoryOnly: boolean) {
    const body = components.map((component) => translateComponent(text, component)).join('');
    this.text = text;
    this.specificity = components.length * 10_000 + Math.min(9_999, bare.replace(/[*?[\]\\]/g, '').length);
    this.#isRoot = bare === '/' || bare === '' || components.every((component) => component === '**');
    this.contents = contents;
    this.#directoryOnly = directoryOnly;
    this.#literal = literalPrefix(bare);
    this.#needle = longestLiteral(components);
    this.#exact = new RegExp(`^${body}$`, 's');
    this.#below = new RegExp(this.#isRoot ? '^/.+$' : `^${body}/.+$`, 's');
  }

  matches({ path, type }: Pick<Entry, 'path' | 'type'>): boolean {
    if (!this.#isRoot && !(path.startsWith(this.#literal) && path.includes(this.#needle))) return false;
    if (this.#below.test(path)) return true;
    if (this.contents) return false;
    return (this.#isRoot ? path === '/' : this.#exact.test(path)) && (!this.#directoryOnly || type === 'd');
  }

  matchesAllBelow(path: ByteString): boolean {
    return this.#isRoot || this.#exact.test(path) || this.#below.test(path);
  }

  mayMatchBelow(path: ByteString): boolean {
    return isBelow(this.#literal, path) || path.startsWith(this.#literal);
  }
}

function checkComponents(text: string, components: readonly string[], contents: boolean): void {
  if (text === '/' || text === '/**') return;
  for (const component of components) {
    if (component === '') throw invalid(text, 'has two slashes in a row', `write '${posix.normalize(text)}'`);
    if (component !== '.' && component !== '..') continue;
    throw invalid(text, `has a '${component}' component`, `write '${posix.normalize(text)}'`);
  }
  if (!contents && components.at(-1) === '**') throw invalid(text, "ends in '**' that is no component of its own");
}

/** One component with the slash before it, as a regular expression over bytes. */
function translateComponent(text: string, component: string): string {
  if (component === '**') return '(?:/[^/]+)*?';
  if (component.includes('**'))
    throw invalid(text, "has '**' within a component", "write '*': it is any run of characters");
  let out = '/';
  for (let i = 0; i < component.length; i += 1) {
    const char = component.charAt(i);
    if (char === '*') out += '[^/]*';
    else if (char === '?') out += ANY_CHARACTER;
    else if (char === '[') {
      const set = readSet(text, component, i);
      out += set.expression;
      i = set.end;
    } else if (char === '\\') {
      i += 1;
      if (i >= component.length) throw invalid(text, 'ends in a backslash');
      out += literalBytes(readCharacter(component, i));
    } else out += literalBytes(readCharacter(component, i));
    if (isHighSurrogate(component, i)) i += 1;
  }
  return out;
}

/** One character of UTF-8, or one byte that is none. */
const ANY_CHARACTER = '(?:[\\xc2-\\xf4][\\x80-\\xbf]+|[^/])';

function isHighSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xd800 && code <= 0xdbff;
}

function readCharacter(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0);
}

function literalBytes(character: string): string {
  return Array.from(byteStringFromText(character), escapeByte).join('');
}

function escapeByte(byte: string): string {
  return /[A-Za-z0-9_]/.test(byte) ? byte : `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** `[abc]`, `[a-z]`, `[!a]`, `[^a]`: ASCII only, and never a slash. */
function readSet(text: string, component: string, start: number): { expression: string; end: number } {
  const negated = component.charAt(start + 1) === '!' || component.charAt(start + 1) === '^';
  const first = start + (negated ? 2 : 1);
  const end = component.indexOf(']', first + 1);
  if (end < 0) throw invalid(text, "has a '[' without its ']'", "write '\\[' for the character itself");
  const members = component.slice(first, end);
  if (!/^[\x20-\x7e]+$/.test(members)) throw invalid(text, 'has a set with characters that are not ASCII');
  let body = '';
  for (let i = 0; i < members.length; i += 1) {
    const upper = members.charAt(i + 2);
    if (members.charAt(i + 1) === '-' && upper !== '') {
      if (upper < members.charAt(i))
        throw invalid(text, `has a range that runs backwards: '${members.slice(i, i + 3)}'`);
      body += `${escapeByte(members.charAt(i))}-${escapeByte(upper)}`;
      i += 2;
    } else body += escapeByte(members.charAt(i));
  }
  return { expression: negated ? `[^${body}/]` : `(?!/)[${body}]`, end };
}

/** What every match begins with: compared first, for most paths fail there and a string comparison is cheap. */
function literalPrefix(bare: string): ByteString {
  const special = bare.search(/[*?[\\]/);
  return byteStringFromText(special < 0 ? bare : bare.slice(0, bare.lastIndexOf('/', special)));
}

/** The longest text that every match holds somewhere: `/.wh.` of `/**\/.wh.*`, which begins with anything. */
function longestLiteral(components: readonly string[]): ByteString {
  const pieces = components
    .filter((component) => component !== '**' && !/[[\\]/.test(component))
    .flatMap((component) => `/${component}`.split(/[*?]/));
  return byteStringFromText(pieces.reduce((best, piece) => (piece.length > best.length ? piece : best), ''));
}

function invalid(text: string, what: string, hint?: string): Error {
  return usageError(`the pattern '${text}' ${what}`, {
    code: 'rule.invalid',
    hint: hint ?? "patterns look like '/opt/app', '/var/cache/**', '/opt/*/logs/'",
  });
}
