/** The password that `--ask-become-pass` asks for where there is an inventory: typed once for all hosts, as with Ansible. */
import { type P2cError, usageError } from '../errors.ts';
import type { Secret } from '../ssh/secret.ts';
import { terminalPrompt } from '../ssh/terminal-prompt.ts';

let typed: Promise<Secret> | undefined;

/** Whoever is first has it asked for. @throws P2cError where it cannot be, and `interrupted`. */
export function becomePasswordOfAll(): Promise<Secret> {
  typed ??= ask();
  return typed;
}

async function ask(): Promise<Secret> {
  const prompt = terminalPrompt();
  if (prompt !== undefined) return prompt('Password for becoming root, on all hosts:');
  throw noTerminal();
}

export function noTerminal(): P2cError {
  return usageError('--ask-become-pass: there is no terminal to ask on', {
    code: 'usage',
    hint: 'give the password with --become-password-fd or --become-password-command',
  });
}
