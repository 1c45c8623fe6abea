/**
 * The values of an INI inventory: what Python's `ast.literal_eval` takes is a literal (numbers, True, None, quoted text,
 * lists, dictionaries), everything else is the text itself (ansible, plugins/inventory/ini.py, _parse_value).
 */
import type { AnsibleValue } from './value.ts';

/** Deeper nesting is no hand's work, and reading recurses. */
const MAX_DEPTH = 16;

export function pythonValue(text: string): AnsibleValue {
  const reader = new Reader(text.trim());
  const value = reader.value(0);
  return value !== undefined && reader.atEnd ? value : text;
}

const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
/** Python takes no number with zeros before it, but zero itself. */
const OCTAL_OF_OLD = /^[+-]?0\d*[1-9]\d*$/;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\n': '',
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    this.#space();
    return this.#at === this.#text.length;
  }

  /** Undefined where no literal begins. */
  value(depth: number): AnsibleValue | undefined {
    if (depth > MAX_DEPTH) return undefined;
    this.#space();
    for (const [word, value] of [
      ['True', true],
      ['False', false],
      ['None', null],
    ] as const) {
      if (this.#text.startsWith(word, this.#at) && !/\w/.test(this.#text.charAt(this.#at + word.length))) {
        this.#at += word.length;
        return value;
      }
    }
    const first = this.#text.charAt(this.#at);
    if (first === "'" || first === '"') return this.#string(first);
    if (first === '[') return this.#list(']', depth);
    if (first === '(') return this.#list(')', depth);
    return first === '{' ? this.#dictionary(depth) : this.#number();
  }

  #space(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }

  /** True, and past it, where the text goes on with it. */
  #take(char: string): boolean {
    this.#space();
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at += 1;
    return true;
  }

  #number(): number | undefined {
    NUMBER.lastIndex = this.#at;
    const [found] = NUMBER.exec(this.#text) ?? [];
    if (found === undefined || OCTAL_OF_OLD.test(found)) return undefined;
    if (/[\w.]/.test(this.#text.charAt(this.#at + found.length))) return undefined;
    const number = found.startsWith('-') ? -Number(found.slice(1)) : Number(found.replace(/^\+/, ''));
    if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) return undefined;
    this.#at += found.length;
    return number;
  }

  #string(quote: string): string | undefined {
    let result = '';
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const char = this.#text.charAt(at);
      if (char === quote) {
        this.#at = at + 1;
        return result;
      }
      if (char === '\n') return undefined;
      if (char !== '\\') result += char;
      else {
        at += 1;
        const escaped = this.#text.charAt(at);
        result += ESCAPES[escaped] ?? (escaped === quote || escaped === '\\' ? escaped : `\\${escaped}`);
      }
    }
    return undefined;
  }

  #list(end: string, depth: number): AnsibleValue[] | undefined {
    this.#at += 1;
    const items: AnsibleValue[] = [];
    while (!this.#take(end)) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      if (this.#take(',')) continue;
      return this.#take(end) ? items : undefined;
    }
    return items;
  }

  #dictionary(depth: number): Record<string, AnsibleValue> | undefined {
    this.#at += 1;
    const items: [string, AnsibleValue][] = [];
    while (!this.#take('}')) {
      const key = this.value(depth + 1);
      if (key === undefined || !this.#take(':')) return undefined;
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push([String(key), item]);
      if (this.#take(',')) continue;
      return this.#take('}') ? Object.fromEntries(items) : undefined;
    }
    return Object.fromEntries(items);
  }
}
