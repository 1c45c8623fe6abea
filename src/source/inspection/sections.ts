/**
 * Many questions in one command: each is a small script whose output is bounded, and the answers come between markers
 * that nothing on the server can know beforehand. What one question meets does not spoil the others.
 */
import { randomBytes } from 'node:crypto';
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
  /** Why there is no answer to any of the questions. */
  readonly #failure: string | undefined;

  constructor(texts: ReadonlyMap<string, string>, cut: ReadonlySet<string> = new Set(), failure?: string) {
    this.#texts = texts;
    this.#cut = cut;
    this.#failure = failure;
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
    return names.some((name) => this.#cut.has(name)) ? 'the list was too long and is cut off' : undefined;
  }

  /** The reason why something is not known: that of the whole question, or the given one. */
  none(reason: string): Fact<never> {
    return unknown(this.#failure ?? reason);
  }
}

/** @throws P2cError where the link is lost. That the server does not answer in time is an answer. */
export async function ask(session: Session, { purpose, sections, timeoutMs = 30_000 }: Question): Promise<Answers> {
  const nonce = `${MARK}${randomBytes(8).toString('hex')}`;
  const script = sectionScript(sections, nonce);
  try {
    const { stdout } = await session.run({ purpose, script, timeoutMs, maxOutputBytes: 32 * 1024 * 1024 });
    return splitSections(stdout, sections, nonce);
  } catch (error) {
    if (!(error instanceof P2cError) || !TOLD.has(error.code)) throw error;
    return new Answers(new Map(), new Set(), `'${purpose}' gave no answer: ${error.message}`);
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
