/**
 * Text from a source, made safe for a terminal: names and command output are hostile, and a terminal obeys escape
 * sequences. Every room prints foreign text through this file.
 */

/** A string whose characters are bytes (`latin1`): how p2c carries paths, which need not be UTF-8. */
export type ByteString = string & { readonly __byteString: unique symbol };

export function byteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteString;
}

/** The bytes of a JavaScript string (UTF-8), as a ByteString: for paths that a user typed. */
export function byteStringFromText(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1') as ByteString;
}

export function bytesOf(text: ByteString): Buffer {
  return Buffer.from(text, 'latin1');
}

/** C0, DEL, C1, and the characters that reorder or hide text (bidi marks, zero-width, line separators). */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu;

/** Escapes what a terminal would obey as `\xNN` or `\u{…}`; with `newlines`, line feeds stay. */
export function printable(text: string, options: { newlines?: boolean } = {}): string {
  return text.replace(UNSAFE, (char) => {
    if (options.newlines === true && char === '\n') return char;
    const code = char.codePointAt(0) ?? 0;
    if (code === 0x0a) return '\\n';
    if (code === 0x09) return '\\t';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** The same but for C0, which JSON's strings have in escapes of their own, and its layout in plain. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu;

/**
 * A value as JSON that may be shown on a terminal: what one would obey stands as `\uNNNN`, and whoever reads the JSON has
 * it back. @param space as JSON.stringify has it.
 */
export function jsonText(value: unknown, space?: number): string {
  return printableJson(JSON.stringify(value, undefined, space));
}

/** The same of JSON that was made already. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE_IN_JSON, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A path for people: UTF-8 where it is, `\xNN` for each byte where it is not, control characters escaped. */
export function printablePath(path: ByteString): string {
  const bytes = bytesOf(path);
  try {
    return printable(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    const ascii = Array.from(bytes, (b) => (b < 0x80 ? String.fromCharCode(b) : `\\x${b.toString(16)}`));
    return printable(ascii.join(''));
  }
}
