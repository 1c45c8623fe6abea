/**
 * Many questions in one command: each is a small script whose output is bounded, and the answers come between markers
 * that nothing on the server can know beforehand. What one question meets does not spoil the others.
 */
import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { P2cError } from '../../errors.ts';
import type { ByteString } from '../../printable.ts';
import { printablePath } from '../../printable.ts';
import type { Session } from '../../ssh/session.ts';
import { type Fact, unknown } from './fact.ts';

export interface Section {
  readonly name: string;
  /** For sh; what it says on standard error is dropped. */
  readonly script: string;
  /** Bytes after which the answer is cut off. Default 64 KiB. */
  readonly maxBytes?: number;
}

export interface Question {
  readonly purpose: string;
  readonly sections: readonly Section[];
  /** Milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
}

const DEFAULT_BYTES = 65_536;
/** In every marker, so that the processes of an inspection can be told from the server's own. */
export const MARK = '@@p2c-inspect-';

/** What a server answered, as text that is safe to print: see {@link safeLines}. */
export class Answers {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #cut: ReadonlySet<string>;
  /** Why some sections have no answer, though they were asked for. */
  readonly #failed: ReadonlyMap<string, string>;

  constructor(
    texts: ReadonlyMap<string, string>,
    cut: ReadonlySet<string> = new Set(),
    failed: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#texts = texts;
    this.#cut = cut;
    this.#failed = failed;
  }

  static together(parts: readonly Answers[]): Answers {
    return new Answers(
      new Map(parts.flatMap((part) => [...part.#texts])),
      new Set(parts.flatMap((part) => [...part.#cut])),
      new Map(parts.flatMap((part) => [...part.#failed])),
    );
  }

  /** Of the sections that were answered. */
  get names(): string[] {
    return [...this.#texts.keys()];
  }

  /** Empty where nothing was said. */
  text(name: string): string {
    return this.#texts.get(name) ?? '';
  }

  /** Lines that are not empty; of an answer that was cut off, without the last, which is not whole. */
  lines(name: string): string[] {
    const lines = this.text(name).split('\n');
    if (this.#cut.has(name)) lines.pop();
    return lines.filter((line) => line !== '');
  }

  /** The first line. */
  line(name: string): string {
    return this.lines(name)[0] ?? '';
  }

  /** For the note of a fact that was read from these sections. */
  note(...names: readonly string[]): string | undefined {
    const failed = names.flatMap((name) => this.#failed.get(name) ?? [])[0];
    return names.some((name) => this.#cut.has(name)) ? 'the list was too long and is cut off' : failed;
  }

  /** The reason why something is not known: that a command with questions failed, or the given one. */
  none(reason: string): Fact<never> {
    const [failure] = this.#failed.values();
    return unknown(failure === undefined ? reason : `${reason}; ${failure}`);
  }
}

/**
 * Bytes of a command line that every server takes: dropbear refuses one above 9000 (MAX_CMD_LEN). What the door escapes
 * costs five bytes each; what is put before a script, and the bounds around a section, come on top.
 */
const LINE_BYTES = 7000;
const SECTION_BYTES = 160;
/** sshd has ten sessions at most on a connection (sshd_config(5), MaxSessions), and p2c's others count too. */
const AT_ONCE = 5;

/** In as many commands as it takes. @throws P2cError where the link is lost. That the server does not answer in time is an answer. */
export async function ask(session: Session, question: Question, limit = pLimit(AT_ONCE)): Promise<Answers> {
  const parts = packed(question.sections).map((sections) => limit(() => askOnce(session, { ...question, sections })));
  return Answers.together(await Promise.all(parts));
}

/** Shared by all questions of an inspection, so that together they do not open too many sessions. */
export function sessionLimit(): ReturnType<typeof pLimit> {
  return pLimit(AT_ONCE);
}

/** Sections in commands of their order, none of which is too long; one that is alone too long goes alone. */
export function packed(sections: readonly Section[]): Section[][] {
  const commands: Section[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const section of sections) {
    const cost =
      SECTION_BYTES + (section.script.match(/[\n\\'!]/g)?.length ?? 0) * 4 + Buffer.byteLength(section.script);
    if (bytes + cost > LINE_BYTES) {
      commands.push([]);
      bytes = 0;
    }
    commands.at(-1)?.push(section);
    bytes += cost;
  }
  return commands;
}

async function askOnce(session: Session, { purpose, sections, timeoutMs = 30_000 }: Question): Promise<Answers> {
  const nonce = `${MARK}${randomBytes(8).toString('hex')}`;
  const script = sectionScript(sections, nonce);
  try {
    const { stdout } = await session.run({ purpose, script, timeoutMs, maxOutputBytes: 32 * 1024 * 1024 });
    return splitSections(stdout, sections, nonce);
  } catch (error) {
    if (!(error instanceof P2cError) || !TOLD.has(error.code)) throw error;
    const why = `'${purpose}' gave no answer: ${error.message}`;
    return new Answers(new Map(), new Set(), new Map(sections.map(({ name }) => [name, why])));
  }
}

const TOLD = new Set(['ssh.command-timeout', 'ssh.output']);

/** `head -c` is not everywhere: without it only the bound on the whole command holds. */
export function sectionScript(sections: readonly Section[], nonce: string): string {
  const bodies = sections.map(
    ({ name, script, maxBytes = DEFAULT_BYTES }) =>
      `printf '%s %s\\n' '${nonce}' ${name}\n(\n${script}\n) 2>/dev/null </dev/null | p2c_cut ${maxBytes}\necho`,
  );
  return `if [ "$(printf xy | head -c 1 2>/dev/null)" = x ]; then p2c_cut() { head -c "$1"; }; else p2c_cut() { cat; }; fi
${bodies.join('\n')}
printf '%s end\\n' '${nonce}'
`;
}

export function splitSections(output: Buffer, sections: readonly Section[], nonce: string): Answers {
  const texts = new Map<string, string>();
  const cut = new Set<string>();
  const all = output.toString('latin1');
  for (const { name, maxBytes = DEFAULT_BYTES } of sections) {
    const marker = `${nonce} ${name}\n`;
    const start = all.startsWith(marker) ? 0 : all.indexOf(`\n${marker}`) + 1;
    if (start === 0 && !all.startsWith(marker)) continue;
    const from = start + marker.length;
    const end = all.indexOf(`\n${nonce} `, from - 1);
    const text = all.slice(from, end < from ? all.length : end);
    if (text.length >= maxBytes || end < 0) cut.add(name);
    texts.set(name, safeLines(text));
  }
  return new Answers(texts, cut);
}

/** Lines, tabs and NULs stay, for they part fields; all else that is not plain text is escaped as printablePath does. */
export function safeLines(text: string): string {
  return text.replace(/[^\n\t\0]+/g, (part) => printablePath(part as ByteString));
}
