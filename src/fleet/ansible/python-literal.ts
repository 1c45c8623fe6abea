/**
 * The values of an INI inventory: what Python's `ast.literal_eval` takes is a literal (numbers, True, None, quoted text,
 * lists, dictionaries, and a comment behind it), everything else is the text itself, with what looks like a comment
 * (ansible, plugins/inventory/ini.py, _parse_value).
 */
import type { AnsibleValue } from './value.ts';

/** Deeper nesting is no hand's work, and reading recurses. */
const MAX_DEPTH = 16;

export function pythonValue(text: string): AnsibleValue {
  const reader = new Reader(text.trim());
  const value = reader.value(0);
  return value !== undefined && reader.atEnd ? value : text;
}

/** Python allows an underscore between two digits. */
const NUMBER =
  /[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?)/y;
/** Python takes no number with zeros before it, but zero itself. */
const OCTAL_OF_OLD = /^[+-]?0[\d_]*[1-9][\d_]*$/;
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
    return this.#at === this.#text.length || this.#text.charAt(this.#at) === '#';
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
    if (/^[uU]?['"]/.test(this.#text.slice(this.#at, this.#at + 2))) return this.#strings();
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
    const [written] = NUMBER.exec(this.#text) ?? [];
    if (written === undefined || OCTAL_OF_OLD.test(written)) return undefined;
    if (/[\w.]/.test(this.#text.charAt(this.#at + written.length))) return undefined;
    const found = written.replaceAll('_', '');
    const number = found.startsWith('-') ? -Number(found.slice(1)) : Number(found.replace(/^\+/, ''));
    if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) return undefined;
    this.#at += written.length;
    return number;
  }

  /** One behind another are one. */
  #strings(): string | undefined {
    let result = '';
    for (;;) {
      this.#space();
      const [begin] = /^[uU]?['"]/.exec(this.#text.slice(this.#at, this.#at + 2)) ?? [];
      if (begin === undefined) return result;
      this.#at += begin.length - 1;
      const next = this.#string(begin.slice(-1));
      if (next === undefined) return undefined;
      result += next;
    }
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
