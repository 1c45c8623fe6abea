/** What of a text is a secret by its own look: `NAME=value`, `scheme://user:password@host`, tokens of a known form. */

import type { Shape } from './redact-rules.ts';

export const HIDDEN = '[secret]';

const SECRET_NAME =
  /(?<!by|com)pass(?!ive|enger|thr|ed$|ing$)|pwd|pw\d*$|secret|token|(?:api|access|account|private|encryption)[-_.]?key|credential|authorization|cookie|psk$/i;
/** Names of what holds a secret or says how to ask for it: no secret themselves. `auth-user-pass` is OpenVPN's, for a file. */
const NO_SECRET_NAME =
  /(?:(?<!pro)file|path|dir|jar|fd|stdin|prompt|command|name|type|policy|ttl|length|auth-user-pass)$|^-*(?:no|ask|skip|use|show|enable|disable)[-_]/i;
const PATH =
  /^["']?(?:~|\.{1,2}|\/(?:bin|boot|data|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var))\/[\w./@+:-]*["']?$/;
const TOKEN =
  /(?<![A-Za-z0-9])(gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk_live_|eyJ(?=[\w-]{10})|hooks\.slack\.com\/services\/|\/bot\d{5,15}:)[\w./-]+/g;

/** @param name of an option, a variable or a key. */
export function namesSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !NO_SECRET_NAME.test(name);
}

/** A file with a secret is none: it may be named. */
function isPath(value: string): boolean {
  return PATH.test(value);
}

/** Hides the end of a word from a place in it on, but for a quote around the whole. */
function hideFrom(word: string, start: number): string {
  const value = word.slice(start);
  if (/^["']*$/.test(value) || isPath(value)) return word;
  const quote = start > 0 && /^["']/.test(word) && word.endsWith(word.charAt(0)) ? word.charAt(0) : '';
  return `${word.slice(0, start)}${HIDDEN}${quote}`;
}

/** As {@link Shape} says, in what of a word is an option's value. */
export function hideValue(word: string, shape: Shape, start: number): string {
  if (shape === 'all' || shape === 'maybe') return hideFrom(word, start);
  if (shape === 'oracle') return hideOracle(word);
  const value = word.slice(start);
  if (shape === 'source') {
    if (/^["']?(?:env|file|fd|stdin)\b/.test(value)) return word;
    return hideFrom(word, start + (/^["']?pass:/.exec(value)?.[0].length ?? 0));
  }
  const before = word.indexOf(shape, start);
  return before < 0 ? redactWord(word) : hideFrom(word, before + 1);
}

const ORACLE = /^["']*(?:(?:userid|explain|target|catalog|auxiliary)=)?["']*[\w$#.]{1,128}(?:\[\w+\])?\/(?=[^\s"'/])/i;

export function isOracleLogin(word: string): boolean {
  return ORACLE.test(word);
}

function hideOracle(word: string): string {
  const start = ORACLE.exec(word)?.[0].length;
  if (start === undefined) return redactWord(word);
  const at = word.lastIndexOf('@');
  const blank = word.slice(start).search(/[\s"']/);
  const end = at > start ? at : blank < 0 ? word.length : start + blank;
  return word.slice(0, start) + HIDDEN + word.slice(end);
}

/** Hides what is secret in a word of a command line by its own look, whatever the command. */
export function redactWord(word: string): string {
  return redactLogin(redactUrls(redactNamed(word))).replace(TOKEN, `$1${HIDDEN}`);
}

/**
 * `NAME=value`, `"name": "value"`. Where a word begins with the name, all of it is the value; else it ends where what
 * stood before the name stands again: `a=1&token=x&b=2`. Each name is looked at once: the time grows with the length.
 */
function redactNamed(word: string): string {
  const names = /(?<![\w.-])([\w.-]+)["']?\s*[=:]\s*/g;
  let safe = '';
  let done = 0;
  for (let match = names.exec(word); match !== null; match = names.exec(word)) {
    if (!namesSecret(match[1] ?? '')) continue;
    const start = names.lastIndex;
    const isFirst = match.index === 0 || (match.index === 1 && /["']/.test(word.charAt(0)));
    // `credentials=/etc/x,uid=0`
    const comma = word.indexOf(',', start);
    const isFile = comma > 0 && isPath(word.slice(start, comma));
    if (isFirst && !isFile) return hideFrom(word, start);
    const end = isFile ? comma : valueEnd(word, start, word.charAt(match.index - 1), isLine(match[0]));
    const value = word.slice(start, end);
    safe += word.slice(done, start) + (value === '' || isPath(value) ? value : HIDDEN);
    done = end;
    names.lastIndex = end;
  }
  return safe + word.slice(done);
}

const ENDS: Readonly<Record<string, RegExp>> = { ',': /[,\s"']/g, ';': /[;"']/g, '&': /[&#\s"']/g, '?': /[&#\s"']/g };

/** `Authorization: Bearer x`, a header or a line of YAML: blanks are part of the value. */
function isLine(nameAndSign: string): boolean {
  return /:\s+$/.test(nameAndSign) || /^(?:\S*-)?(?:authorization|cookie)/i.test(nameAndSign);
}

/** @param before the character before the name. */
function valueEnd(word: string, start: number, before: string, toTheEnd: boolean): number {
  const first = word.charAt(start);
  if (first === '"' || first === "'") {
    const closing = word.indexOf(first, start + 1);
    return closing < 0 ? word.length : closing + 1;
  }
  const ends = toTheEnd ? /["']/g : new RegExp(ENDS[before] ?? /[\s,;&"'}\])]/g);
  ends.lastIndex = start;
  return ends.exec(word)?.index ?? word.length;
}

/** A password may hold an `@`, or even a `/`: it ends at the last `@` before the path, or else at the last of the word. */
function redactUrls(word: string): string {
  const [first = '', ...rest] = word.split('://');
  return rest.reduce((before, part) => `${before}://${redactAuthority(part)}`, first);
}

/** @param part what follows `://`, up to the next. */
function redactAuthority(part: string): string {
  const length = part.search(/[\s"'<>]/);
  const url = length < 0 ? part : part.slice(0, length);
  const slash = url.search(/[/?#]/);
  const authority = slash < 0 ? url : url.slice(0, slash);
  const colon = authority.indexOf(':');
  const inside = authority.lastIndexOf('@');
  const hasPort = /^(?:[^@]*:\d{1,5}|\[[\da-f:.]*\])$/i.test(authority);
  const at = inside >= 0 || colon < 0 || hasPort ? inside : url.lastIndexOf('@');
  if (at < 0) return part;
  // A user without a password is none, unless it is so long that it must be a token.
  if (colon < 0 || colon > at) return at < 20 ? part : HIDDEN + part.slice(at);
  return at === colon + 1 ? part : part.slice(0, colon + 1) + HIDDEN + part.slice(at);
}

const BARE_LOGIN = /^(["']?(?:[\w-]{1,64}=)?[\w.\\-]{1,64}:)([^\s:@/[]+)(?=@(?!sha\d))/;
const THIN_LOGIN = /(\bthin:[\w$#]{1,64}\/)[^@\s[]+(?=@)/g;
const USER_VALUE = /(?<!\w)((?:user|username|user-name|login|proxyauth)=[\w.@/\\-]{1,128}[:%])(?!\d+\b)[^\s,;"'[]+/gi;

/** `user:password@host`; `user=name:password` or `user=name%password`, as mount(8) and others have it; Oracle's of JDBC. */
function redactLogin(word: string): string {
  return word.replace(BARE_LOGIN, `$1${HIDDEN}`).replace(THIN_LOGIN, `$1${HIDDEN}`).replace(USER_VALUE, `$1${HIDDEN}`);
}
