/** How a script travels: as one command line that sh, csh and fish hand to `sh` unchanged. */
import { arrival, becomeUser, becomeWords, type Elevation } from './become.ts';
import { quote } from './quote.ts';
import { terminalScript } from './terminal-channel.ts';

/**
 * A login without a terminal may have a short PATH; what p2c calls lies in these. What the environment adds to GNU
 * programs' options would change what arrives: `TAR_OPTIONS=--dereference` makes files of links.
 */
const PREAMBLE =
  'LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; ' +
  'unset TAR_OPTIONS POSIXLY_CORRECT GREP_OPTIONS\n';

/** Characters that csh or fish would change inside single quotes: newlines, `!`, backslashes, quotes. */
const AWKWARD = /[^A-Za-z0-9 _@%+=:,./"$(){}[\]<>|;&*?~^#-]/;

/**
 * The command line for a script. Awkward characters travel as octal escapes that the remote printf undoes.
 * @param input whether the script is given any; else it reads /dev/null.
 * @param elevation how it becomes root's; undefined where it runs as the login.
 * @param greeting a line that the script prints before its own output, where the login prints something before that.
 */
export function commandLine(script: string, input: boolean, elevation?: Elevation, greeting?: string): string {
  const before = `${elevation === undefined ? '' : arrival(elevation, input)}${greeted(elevation, greeting)}`;
  const plain = PREAMBLE + script;
  const terminal = elevation?.terminal === true;
  const text = before + (terminal ? terminalScript(plain, elevation, input) : plain);
  const become = elevation === undefined ? 'sh ' : becomeWords(elevation);
  const user = elevation === undefined ? '' : becomeUser(elevation);
  const words =
    terminal || AWKWARD.test(before + script)
      ? `'eval "$(printf %b "$1")"'${user} sh '${encode(text)}'`
      : `${quote(text.replace('\n', '; '))}${user}`;
  const closed = input || terminal || elevation?.password !== undefined ? '' : ' </dev/null';
  // On a terminal the text may look like the question for a password: it must end before that is asked.
  const first = terminal && greeting !== undefined ? `echo ${greeting}; ` : '';
  return `${first}exec ${become}-c ${words}${closed}`;
}

/** Who becomes root has a line on standard error already; a terminal has one of its own. */
function greeted(elevation: Elevation | undefined, greeting: string | undefined): string {
  if (greeting === undefined || elevation?.terminal === true) return '';
  return elevation === undefined ? `echo ${greeting}; echo ${greeting} >&2; ` : `echo ${greeting}; `;
}

/** POSIX printf's %b: `\0` and up to three octal digits is a byte. */
function encode(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return AWKWARD.test(char) ? `\\0${byte.toString(8).padStart(3, '0')}` : char;
  }).join('');
}
