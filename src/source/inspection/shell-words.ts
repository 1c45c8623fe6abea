/** A shell's text cut into its words, as far as it takes to tell one command's words from another's. */

export interface Piece {
  readonly kind: 'word' | 'space' | 'operator';
  /** As it stood: quotes and backslashes are part of a word. Together, the pieces are the text. */
  readonly text: string;
}

const SPACE = /\s+/y;
const OPERATOR = /<<<|\d*(?:&?>>?|<)&?|\|\||&&|\|&?|[;&()`]/y;
const PLAIN = /[^\s"'\\;|&<>()`]+/y;

/** Never fails: a quote that nothing closes reaches to the end. The time grows with the length alone. */
export function shellPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; ) {
    const space = matchAt(SPACE, text, at);
    const operator = space === '' ? matchAt(OPERATOR, text, at) : '';
    const word = space === '' && operator === '' ? text.slice(at, wordEnd(text, at)) : '';
    const kind = space !== '' ? 'space' : operator !== '' ? 'operator' : 'word';
    pieces.push({ kind, text: space + operator + word });
    at += space.length + operator.length + word.length;
  }
  return pieces;
}

/** The parts of a word that are in quotes, each with what is before it. */
export function quotedParts(
  word: string,
): { readonly before: string; readonly quote: string; readonly inner: string; readonly closing: string }[] {
  const parts = [];
  let from = 0;
  for (let at = 0; at < word.length; ) {
    const end = elementEnd(word, at);
    const quote = word.charAt(at);
    if (quote === '"' || quote === "'") {
      const closed = end - at > 1 && word.charAt(end - 1) === quote;
      const inner = word.slice(at + 1, closed ? end - 1 : end);
      parts.push({ before: word.slice(from, at), quote, inner, closing: closed ? quote : '' });
      from = end;
    }
    at = end;
  }
  return [...parts, { before: word.slice(from), quote: '', inner: '', closing: '' }];
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function wordEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !/[\s;|&<>()`]/.test(text.charAt(at))) at = elementEnd(text, at);
  return at;
}

/** Of a quoted part, an escaped character or a run of plain ones. */
function elementEnd(text: string, at: number): number {
  const first = text.charAt(at);
  if (first === "'") return closingOr(text.indexOf("'", at + 1), text);
  if (first === '\\') return Math.min(at + 2, text.length);
  if (first !== '"') return at + Math.max(1, matchAt(PLAIN, text, at).length);
  for (let next = at + 1; next < text.length; next += 1) {
    if (text.charAt(next) === '\\') next += 1;
    else if (text.charAt(next) === '"') return next + 1;
  }
  return text.length;
}

function closingOr(found: number, text: string): number {
  return found < 0 ? text.length : found + 1;
}
