/** A command on a real terminal, which `script` makes, and somebody who types there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const HOME = fileURLToPath(new URL('../..', import.meta.url));

export const CTRL_C = '\x03';
export const SHOW_CURSOR = '\x1b[?25h';
export const HIDE_CURSOR = '\x1b[?25l';

/** What is typed once something is shown that was not shown before the last time. */
export type Typed = readonly [RegExp, string];

export interface Terminal {
  /** All that was written to it, with its controls. */
  readonly shown: string;
  /** Of what was to be typed, how much was. */
  readonly typed: number;
  readonly code: number | null;
}

/** @param words none with a quote in it. Killed when it takes longer than two minutes. */
export async function onTerminal(
  t: ExecutionContext,
  words: readonly string[],
  typing: readonly Typed[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...own } = process.env;
  const command = words.map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['-qec', `stty cols 150 rows 45; exec ${command}`, '/dev/null'], {
    cwd: HOME,
    env: { ...own, TERM: 'xterm-256color', ...environment },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const end = (): void => void terminal.kill('SIGKILL');
  t.teardown(end);
  const timer = setTimeout(end, 300_000);
  let shown = '';
  let typed = 0;
  let from = 0;
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const next = typing[typed];
    if (next === undefined || !next[0].test(shown.slice(from))) return;
    from = shown.length;
    typed += 1;
    terminal.stdin.write(next[1]);
  });
  const [code] = await once(terminal, 'close');
  clearTimeout(timer);
  return { shown, typed, code };
}
