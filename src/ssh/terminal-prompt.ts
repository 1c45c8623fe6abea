/** Asks for passwords on the terminal, on standard error, without showing what is typed. */
import { ExitCode, P2cError } from '../errors.ts';
import { type Prompt, Secret } from './secret.ts';

/** @returns undefined where standard input or error is no terminal: then nobody can be asked. */
export function terminalPrompt(): Prompt | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return (question) => {
    const asked = previous.then(() => ask(question));
    previous = asked.catch(() => {});
    return asked;
  };
}

/** Several servers may have questions at once; a person answers one at a time. */
let previous: Promise<unknown> = Promise.resolve();

async function ask(question: string): Promise<Secret> {
  const { default: password } = await import('@inquirer/password');
  const ended = new AbortController();
  const heard = (_text: string | undefined, key: { readonly ctrl?: boolean; readonly name?: string }): void => {
    if (key.ctrl === true && key.name === 'd') ended.abort();
  };
  process.stdin.on('keypress', heard);
  try {
    const context = { output: process.stderr, signal: ended.signal };
    // Without a way to have it shown: somebody may look on, or record the session.
    return new Secret(await password({ message: question, mask: '', toggleMask: false }, context));
  } catch (error) {
    // The end of the input is an empty answer, as ssh has it.
    if (ended.signal.aborted) return new Secret('');
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    throw new P2cError('interrupted at a password prompt', {
      code: 'interrupted',
      exitCode: ExitCode.interrupted,
      cause: error,
    });
  } finally {
    process.stdin.off('keypress', heard);
  }
}
