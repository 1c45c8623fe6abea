/** What an OCI runtime logs: JSON, an object a line, as runc and crun write with `--log-format json`. */
import * as z from 'zod';

/** What it says before it ends is an error message. */
const MAX_TEXT = 64 * 1024;

const lineSchema = z.object({ level: z.string(), msg: z.string() });

export interface Refusal {
  readonly message: string;
  /** As a shell has it: 127 for a command that is not there, 126 for one that cannot be run; else undefined. */
  readonly exitCode: number | undefined;
}

/** Reads a log to its end, which comes with the runtime's. */
export class RuntimeMessages {
  readonly #text: Promise<string>;

  constructor(channel: AsyncIterable<Buffer>) {
    this.#text = readAll(channel);
  }

  /** Why the runtime refused to start a process; undefined where it did not. */
  async refusal(): Promise<Refusal | undefined> {
    return parseRefusal(await this.#text);
  }
}

/** @param text lines of JSON, and lines of text from the scripts before the runtime. */
export function parseRefusal(text: string): Refusal | undefined {
  const messages = text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const found = lineSchema.safeParse(parseOrText(line));
      return found.success && !['error', 'fatal', 'panic'].includes(found.data.level) ? [] : [found.data?.msg ?? line];
    });
  if (messages.length === 0) return undefined;
  const message = messages.join('; ');
  return { message, exitCode: commandExitCode(message) };
}

function parseOrText(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** runc: `exec: "x": executable file not found in $PATH`; crun: `open executable: Permission denied`; both end so. */
function commandExitCode(message: string): number | undefined {
  if (!/\bexec(?:utable)?\b/.test(message)) return undefined;
  if (/not found|no such file or directory/i.test(message)) return 127;
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126;
  return undefined;
}

async function readAll(channel: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of channel) if (text.length < MAX_TEXT) text += chunk.toString('utf8');
  return text;
}
