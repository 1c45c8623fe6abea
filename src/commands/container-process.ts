/** What `run` and `exec` share: whose exit code it is, the terminal's two ends, and signals that are handed on. */
import { once } from 'node:events';
import { isatty } from 'node:tty';
import { usageError } from '../errors.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Writes a container's output to p2c's own, as fast as that is read. */
export async function passOn(stream: 'stdout' | 'stderr', chunk: Buffer): Promise<void> {
  const target = process[stream];
  if (!target.write(chunk)) await once(target, 'drain');
}

/**
 * Hands the user's signals on while the work lasts. Each `p2c run` and `p2c exec` in the foreground stands for the
 * process in the container: to end it is for that process to decide.
 */
export async function forwardingSignals<Result>(
  send: (signal: NodeJS.Signals) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const forward = (signal: NodeJS.Signals): void => send(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await work();
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

/** `-t` with input needs a terminal to be one end of. @throws P2cError `usage`. */
export function checkTerminal(options: { tty: boolean; interactive: boolean; detach: boolean }): void {
  if (options.tty && options.interactive && !options.detach && !isatty(0)) {
    throw usageError('-t and -i need a terminal, and the standard input is none', {
      code: 'usage',
      hint: 'leave out -t',
    });
  }
}

/** `KEY` alone takes the value that it has here, as podman has it. @throws P2cError `usage` where there is no key. */
export function environmentFrom(given: readonly string[]): string[] {
  return given.flatMap((text) => {
    if (text === '' || text.startsWith('=')) {
      throw usageError(`the variable '${text}' has no name`, {
        code: 'usage',
        hint: 'KEY=VALUE, or KEY of this shell',
      });
    }
    if (text.includes('=')) return [text];
    const value = process.env[text];
    return value === undefined ? [] : [`${text}=${value}`];
  });
}
