/** Asks for passwords on the terminal, on standard error, without showing what is typed. */
import { type Prompt, Secret } from './secret.ts';

/** @returns undefined where standard input or error is no terminal: then nobody can be asked. */
export function terminalPrompt(): Prompt | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return async (question) => {
    const { default: password } = await import('@inquirer/password');
    return new Secret(await password({ message: question, mask: '' }, { output: process.stderr }));
  };
}
