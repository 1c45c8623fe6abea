/**
 * What Ansible inventories tell ssh by `ansible_ssh_common_args` and its like. The way over jump hosts is taken from them,
 * and what is left is left aside and named: by the option alone, for a ProxyCommand may have a password in it.
 */
import { shellWords } from './ini.ts';

export interface SshArguments {
  /** `none` where the way is said to be direct. */
  readonly jump: string | undefined;
  readonly identity: readonly string[];
  /** True where a ProxyCommand is the way, and is more than a jump: without it, the host would be reached another way. */
  readonly command: boolean;
  /** Names of the options that were left aside. */
  readonly ignored: readonly string[];
}

/** ssh(1): letters that take an argument. */
const WITH_ARGUMENT = 'BbcDEeFIiJLlmOoPpQRSWw';
/** Of the ssh that a ProxyCommand runs: options that change where it goes or as whom. p2c has none of them for a jump host. */
const WAY = /^(?:proxy|identity|certificate|hostname$|user$|port$)/i;

interface Option {
  readonly letter: string;
  readonly value: string;
}

/** Undefined where a quote is not closed. */
export function parseSshArguments(text: string): SshArguments | undefined {
  const words = shellWords(text);
  if (words === undefined) return undefined;
  // As ssh has it, the first that says a way is obeyed.
  let way: Way | undefined;
  const identity: string[] = [];
  const ignored: string[] = [];
  const { options, others } = optionsOf(words);
  for (const { letter, value } of options) {
    const said = letter === 'J' ? { jump: value } : letter === 'o' ? wayOf(value) : undefined;
    if (said !== undefined) way ??= said;
    else if (letter === 'i') identity.push(value);
    else ignored.push(letter === 'o' ? `-o ${splitOption(value).name}` : `-${letter}`);
  }
  if (others.length > 0) ignored.push('a word that is no option');
  return { jump: way?.jump, command: way !== undefined && way.jump === undefined, identity, ignored };
}

/** As getopt(3) reads them: letters may share a dash, and an argument may follow its letter at once. */
function optionsOf(words: readonly string[]): { options: Option[]; others: string[] } {
  const options: Option[] = [];
  const others: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!/^-[A-Za-z0-9]/.test(word)) others.push(word);
    else {
      const end = [...word].findIndex((letter, index) => index > 0 && WITH_ARGUMENT.includes(letter));
      const flags = word.slice(1, end < 0 ? undefined : end);
      options.push(...[...flags].map((letter) => ({ letter, value: '' })));
      if (end < 0) continue;
      const joined = word.slice(end + 1);
      if (joined === '') at += 1;
      options.push({ letter: word.charAt(end), value: joined === '' ? (words[at] ?? '') : joined });
    }
  }
  return { options, others };
}

/** `Name=value` or `Name value`. */
function splitOption(option: string): { name: string; value: string } {
  const [, name = '', value = ''] = /^\s*(\w+)(?:\s*[= ]\s*"?(.*?)"?)?\s*$/s.exec(option) ?? [];
  return { name, value };
}

/** Without a jump where a command is the way that p2c cannot go. */
interface Way {
  readonly jump: string | undefined;
}

/** `ProxyJump=HOST`, or a ProxyCommand, which may be a jump: `ssh -W %h:%p [-q] [-p PORT] USER@HOST`. */
function wayOf(option: string): Way | undefined {
  const { name, value } = splitOption(option);
  if (name.toLowerCase() === 'proxyjump') return { jump: value };
  if (name.toLowerCase() !== 'proxycommand') return undefined;
  return { jump: value.toLowerCase() === 'none' ? 'none' : jumpOfCommand(shellWords(value) ?? []) };
}

function jumpOfCommand([program = '', ...words]: readonly string[]): string | undefined {
  if (!/^(?:.*\/)?ssh$/.test(program)) return undefined;
  const { options, others } = optionsOf(words);
  const [host] = others;
  const last = (letter: string): string | undefined => options.findLast((option) => option.letter === letter)?.value;
  const carries = last('W') === '%h:%p' || last('W') === '[%h]:%p';
  // Other keys or files than for the target itself: p2c cannot tell a jump host that.
  const elsewhere = options.some(
    ({ letter, value }) => 'iFJ'.includes(letter) || (letter === 'o' && WAY.test(splitOption(value).name)),
  );
  if (host === undefined || others.length > 1 || !carries || elsewhere) return undefined;
  const [user, port] = [last('l'), last('p')];
  return `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`;
}
