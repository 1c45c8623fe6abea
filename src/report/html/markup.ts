/** HTML that cannot be broken into: whatever is put between the words of a template is escaped, but for markup itself. */

/** Made by {@link markup} alone. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = string | number | Markup | undefined | readonly Piece[];

/** A template: `markup\`<td>${name}</td>\``. Lists are joined, undefined is nothing. */
export function markup(words: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(words.map((word, index) => word + textOf(pieces[index])).join(''));
}

/** Text of this program's own, such as a style sheet. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function textOf(piece: Piece): string {
  if (piece === undefined) return '';
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece));
  return piece.map(textOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also what turns the direction of writing or moves nothing but the eye: shown as what it is. */
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (char) => {
      return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
    })
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** JSON for a script element: no word of it can end the element. */
export function jsonBlock(value: unknown): Markup {
  return trusted(
    JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}
