/** Quoting for POSIX sh: single quotes, and nothing inside them is special but the quote itself (POSIX XCU 2.2.2). */
import { P2cError } from '../errors.ts';
import { type ByteString, bytesOf } from '../printable.ts';

/**
 * One word of a shell command, whatever it holds.
 * @throws P2cError `quote.nul`: no argument of a process can hold a NUL byte.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new P2cError('a shell word holds a NUL byte', { code: 'quote.nul' });
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A whole command line of quoted words. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/**
 * One word that holds a path's bytes. A script travels as UTF-8, so bytes that are not UTF-8 are made on the other side
 * by printf; newlines at the end, which `$(…)` strips off, come after it.
 */
export function quotePath(path: ByteString): string {
  const bytes = bytesOf(path);
  try {
    return quote(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    const newlines = /\n*$/.exec(path)?.[0] ?? '';
    const made = bytes.subarray(0, bytes.length - newlines.length);
    const octal = Array.from(made, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    return `"$(printf '${octal}')"${newlines === '' ? '' : quote(newlines)}`;
  }
}
