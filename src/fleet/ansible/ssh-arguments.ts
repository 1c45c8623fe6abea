/**
 * What Ansible inventories tell ssh by `ansible_ssh_common_args` and its like. The way over jump hosts is taken from them;
 * what p2c has options for is named, and what is left is left aside and named too.
 */
import { shellWords } from './ini.ts';

export interface SshArguments {
  readonly jump: string | undefined;
  readonly identity: readonly string[];
  /** What was left aside. */
  readonly ignored: readonly string[];
}

/** ssh(1): letters that take an argument. */
const WITH_ARGUMENT = 'BbcDEeFIiJLlmOoPpQRSWw';

/** Undefined where a quote is not closed. */
export function parseSshArguments(text: string): SshArguments | undefined {
  const words = shellWords(text);
  if (words === undefined) return undefined;
  let jump: string | undefined;
  const identity: string[] = [];
  const ignored: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const letter = word.charAt(1);
    if (!/^-[A-Za-z]/.test(word) || !WITH_ARGUMENT.includes(letter)) {
      ignored.push(word);
      continue;
    }
    const value = word.length > 2 ? word.slice(2) : (words.shift() ?? '');
    const way = letter === 'J' ? value : letter === 'o' ? jumpOf(value) : undefined;
    if (way !== undefined) jump = way;
    else if (letter === 'i') identity.push(value);
    else ignored.push(`-${letter} ${value}`);
  }
  return { jump: jump === 'none' ? undefined : jump, identity, ignored };
}

/** `ProxyJump=HOST`, or a ProxyCommand that is a jump: `ssh -W %h:%p [-q] [-p PORT] USER@HOST`. */
function jumpOf(option: string): string | undefined {
  const [, name = '', value = ''] = /^\s*(\w+)\s*[= ]\s*"?(.*?)"?\s*$/.exec(option) ?? [];
  if (name.toLowerCase() === 'proxyjump') return value;
  if (name.toLowerCase() !== 'proxycommand') return undefined;
  const [program, ...words] = shellWords(value) ?? [];
  if (program !== 'ssh' || !words.includes('-W')) return undefined;
  return jumpOfCommand(words);
}

function jumpOfCommand(words: readonly string[]): string | undefined {
  let host: string | undefined;
  let user: string | undefined;
  let port: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const letter = word.startsWith('-') ? word.charAt(1) : '';
    if (letter === '') host ??= word;
    else if (WITH_ARGUMENT.includes(letter)) {
      const value = word.length > 2 ? word.slice(2) : (words[at + 1] ?? '');
      if (word.length === 2) at += 1;
      if (letter === 'p') port = value;
      else if (letter === 'l') user = value;
      // Other keys or files than for the target itself: p2c cannot tell a jump host that.
      else if (letter === 'i' || letter === 'F') return undefined;
    }
  }
  if (host === undefined) return undefined;
  return `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`;
}
