/** Asks before something that cannot be taken back. */
import { createInterface } from 'node:readline/promises';
import { usageError } from '../errors.ts';

/** @param what it does, as a sentence. @throws P2cError `usage` where nobody is there to answer. */
export async function confirmed(what: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw usageError('nobody is there to be asked, for the standard input is no terminal', {
      code: 'usage',
      hint: `--force goes on without a question. ${what}`,
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${what} Go on? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
