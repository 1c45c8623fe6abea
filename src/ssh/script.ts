/** How a script travels: as one command line that sh, csh and fish hand to `sh` unchanged. */
import { quote } from './quote.ts';
import type { Privilege } from './session.ts';

/** A login without a terminal may have a short PATH; what p2c calls lies in these. */
const PREAMBLE =
  'LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH\n';

/** Characters that csh or fish would change inside single quotes: newlines, `!`, backslashes, quotes. */
const AWKWARD = /[^A-Za-z0-9 _@%+=:,./"$(){}[\]<>|;&*?~^#-]/;

/**
 * The command line for a script. Awkward characters travel as octal escapes that the remote printf undoes.
 * @param input whether the script is given any; else it reads /dev/null.
 */
export function commandLine(script: string, privilege: Privilege, input: boolean): string {
  const text = PREAMBLE + script;
  const become = privilege === 'sudo' ? 'sudo -n ' : '';
  const words = AWKWARD.test(script)
    ? `'eval "$(printf %b "$1")"' sh '${encode(text)}'`
    : quote(text.replace('\n', '; '));
  return `exec ${become}sh -c ${words}${input ? '' : ' </dev/null'}`;
}

/** POSIX printf's %b: `\0` and up to three octal digits is a byte. */
function encode(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return AWKWARD.test(char) ? `\\0${byte.toString(8).padStart(3, '0')}` : char;
  }).join('');
}
