/** Names as GNU programs write them in messages under `LC_ALL=C`: `\n`, `\303`, `\\` (gnulib, quotearg, style "escape"). */
import { type ByteString, byteString } from '../printable.ts';

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The bytes of the name. @param text characters that are bytes. */
export function unescapedName(text: string): ByteString {
  const bytes = text.replace(/\\(?:([0-7]{3})|(.))/g, (_, octal: string | undefined, char: string | undefined) =>
    octal === undefined ? (ESCAPES[char ?? ''] ?? char ?? '') : String.fromCharCode(Number.parseInt(octal, 8) & 0xff),
  );
  return byteString(Buffer.from(bytes, 'latin1'));
}

/** As {@link unescapedName} reads it. */
export function escapedName(name: ByteString): string {
  return name.replace(/[^ -~]|['\\]/g, (byte) =>
    byte === "'" || byte === '\\' ? `\\${byte}` : `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
