/** Command lines and crontabs hold passwords: what looks like one never gets into a report. Rather a word too many than one. */
import { programName, READERS, type Rule, rulesFor, type Shape } from './redact-rules.ts';
import { HIDDEN, hideValue, isOracleLogin, namesSecret, redactWord } from './redact-text.ts';
import { quotedParts, shellPieces } from './shell-words.ts';

/** Texts in quotes within texts in quotes: a shell's own escapes make deeper ones a rarity. */
const DEEPEST = 5;
/** Words that announce a secret without a dash: `mysqladmin password x`, `config set requirepass x`. */
const ANNOUNCES =
  /^["']?(?:(?!-)[a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|secret[-_]access[-_]key|api[-_]?key|_pw)|requirepass|masterauth|pass|pwd|bearer)["']?:?$/i;

/** @param text as a shell would read it: a line of a crontab. */
export function redact(text: string): string {
  return redactShell(text, [], 0);
}

/** @param words of a process, each as it was given to it: blanks and quotes in them part nothing. */
export function redactArguments(words: readonly string[]): string {
  // A process may have written one text over its words.
  if (words.length === 1) return redact(words[0] ?? '');
  return redactCommand(words, [], (word, rules, before) => {
    if (!/\s/.test(word)) return redactWord(word);
    return redactShell(isScript(before) ? word : redactWord(word), rules, 1);
  }).join(' ');
}

/** @param outer the rules of the program whose words these are in: `lftp -c 'open -u bob,x'`. */
function redactShell(text: string, outer: readonly Rule[], depth: number): string {
  const pieces = shellPieces(text);
  const safe = pieces.map((piece) => piece.text);
  let echoed: number[] = [];
  let isRead = false;
  for (const { places, opened } of commandsOf(pieces)) {
    const words = places.map((place) => safe[place] ?? '');
    const reads = words.some((word) => READERS.test(programName(word) || word));
    // `echo x | sudo -S …`, `sudo -S … <<< x`
    const secret =
      opened === '<<<' ? (isRead ? places.slice(0, 1) : []) : opened.startsWith('|') && reads ? echoed : [];
    const inner = redactCommand(words, outer, (word, rules, before) => {
      const isCommands = depth < DEEPEST && /\s/.test(word) && isScript(before);
      return redactQuoted(isCommands ? word : redactWord(word), rules, depth);
    });
    for (const [index, place] of places.entries()) safe[place] = inner[index] ?? '';
    for (const place of secret) safe[place] = HIDDEN;
    echoed = echoedBy(words, places);
    isRead = reads;
  }
  return safe.join('');
}

interface Command {
  /** Of its words among the pieces; without the files that it is redirected to. */
  readonly places: readonly number[];
  /** The operator before it. */
  readonly opened: string;
}

function commandsOf(pieces: ReturnType<typeof shellPieces>): Command[] {
  const commands: { places: number[]; opened: string }[] = [{ places: [], opened: '' }];
  let isFile = false;
  for (const [place, { kind, text }] of pieces.entries()) {
    if (kind === 'operator') {
      isFile = text !== '<<<' && /[<>]/.test(text);
      if (!isFile) commands.push({ places: [], opened: text });
    } else if (kind === 'word') {
      if (!isFile) commands.at(-1)?.places.push(place);
      isFile = false;
    }
  }
  return commands;
}

function echoedBy(words: readonly string[], places: readonly number[]): number[] {
  const at = words.findIndex((word) => /^(?:echo|printf)$/.test(programName(word)));
  if (at < 0) return [];
  return places.slice(at + 1).filter((_, index) => !/^-[neE]+$/.test(words[at + 1 + index] ?? ''));
}

/** A quoted part with blanks in it may be a command of its own: `sh -c "…"`, `su - oracle -c '…'`. */
function redactQuoted(word: string, rules: readonly Rule[], depth: number): string {
  if (depth >= DEEPEST || !/\s/.test(word)) return word;
  return quotedParts(word)
    .map(({ before, quote, inner, closing }) => before + quote + redactShell(inner, rules, depth + 1) + closing)
    .join('');
}

/** What `sh -c` is given is commands, and no value, however it begins. */
function isScript(before: string | undefined): boolean {
  return /^-[a-z]*c$/.test(before ?? '');
}

/**
 * The words of one command. Each program named in it counts, for one may run another: `sudo -u bob mysql -px`.
 * @param rest makes a word safe that no rule hides.
 */
function redactCommand(
  words: readonly string[],
  outer: readonly Rule[],
  rest: (word: string, rules: readonly Rule[], before: string | undefined) => string,
): string[] {
  const rules = [...outer];
  const hidden = new Map<number, string>();
  const positional: { readonly rule: Rule; readonly places: number[] }[] = [];
  const hide: Hide = (place, shape, start = 0) => {
    const word = words[place];
    if (word !== undefined && !hidden.has(place)) hidden.set(place, hideValue(word, shape, start));
  };
  for (const [place, word] of words.entries()) {
    const over = positional.flatMap(({ rule, places }) => (rule.leads === true && places.length > 0 ? [rule] : []));
    for (const rule of rules) if (!over.includes(rule)) applyRule(rule, words, place, hide);
    hideAnnounced(words, place, hide);
    if (word.startsWith('-') || hidden.has(place)) continue;
    for (const { places } of positional) places.push(place);
    for (const rule of rulesFor(word).filter((each) => !rules.includes(each))) {
      rules.push(rule);
      positional.push({ rule, places: [] });
    }
  }
  for (const { rule, places } of positional) {
    const { last } = rule;
    const isMeant = last !== undefined && places.length >= last.atLeast && last.where.test(words.join(' '));
    if (isMeant) hide(places.at(-1) ?? -1, 'all');
  }
  return words.map((word, place) => hidden.get(place) ?? rest(word, rules, words[place - 1]));
}

type Hide = (place: number, shape: Shape, start?: number) => void;

function applyRule(rule: Rule, words: readonly string[], place: number, hide: Hide): void {
  const word = words[place] ?? '';
  const { behind, oracleLogin, options = {}, flags = '' } = rule;
  const hideNext = (shape: Shape): void => {
    if (shape !== 'maybe' || !looksLikeOption(words[place + 1])) hide(place + 1, shape);
  };
  if (behind?.test(word) === true) hideNext('maybe');
  if (oracleLogin === true && isOracleLogin(word)) hide(place, 'oracle');
  const name = /^[^=:]*/.exec(word)?.[0] ?? '';
  const [exact, long] = [options[word], options[name]];
  if (exact !== undefined) hideNext(exact);
  else if (long !== undefined) hide(place, long, name.length + 1);
  else if (/^-[^-]/.test(word)) {
    let at = 1;
    while (at < word.length - 1 && flags.includes(word.charAt(at))) at += 1;
    const short = options[`-${word.charAt(at)}`];
    if (short !== undefined && at === word.length - 1) hideNext(short);
    else if (short !== undefined) hide(place, short, at + 1);
  }
}

/** `--password x`, `password x`, `password = x`, `IDENTIFIED BY x`, `connect user/x@db`: in any command. */
function hideAnnounced(words: readonly string[], place: number, hide: Hide): void {
  const word = words[place] ?? '';
  const next = /^[:=]+$/.test(words[place + 1] ?? '') ? place + 2 : place + 1;
  if (/^["']?conn(?:ect)?$/i.test(word) && isOracleLogin(words[next] ?? '')) hide(next, 'oracle');
  // Whatever the program: `$CURL -u bob:x`; but two numbers are a user and a group.
  if (/^(?:-u|--user)$/.test(word) && /^["']?[\w.@\\-]+:(?!\d+["']?$|[/"'])/.test(words[next] ?? '')) hide(next, ':');
  const isBy = /^by$/i.test(word) && /identified$/i.test(words[place - 1] ?? '');
  const isOption = /^--?[\w.-]+$/.test(word) && namesSecret(word);
  if (!isOption && !isBy && (place === 0 || !ANNOUNCES.test(word))) return;
  if (!looksLikeOption(words[next])) hide(next, 'all');
}

function looksLikeOption(word: string | undefined): boolean {
  return /^--?[a-z]|^--$|^-\d$/i.test(word ?? '');
}
