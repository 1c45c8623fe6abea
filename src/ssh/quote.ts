/** Quoting for POSIX sh: single quotes, and nothing inside them is special but the quote itself (POSIX XCU 2.2.2). */
import { P2cError } from '../errors.ts';

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
