/** The size of a container's terminal. */
import { execFile } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import type { TerminalSize } from './records.ts';

const run = promisify(execFile);

/**
 * Sets it, and so tells the programs in it (SIGWINCH).
 * @param pid of script(1) that holds the terminal: its own descriptor is used, which no process in the container can
 * have put something else in the place of.
 */
export async function resizeTerminal(pid: number, { rows, columns }: TerminalSize): Promise<void> {
  const terminal = await terminalOf(pid);
  if (terminal === undefined) return;
  const words = ['-F', terminal, 'rows', String(rows), 'columns', String(columns)];
  await run(findProgram('stty'), words, { env: HOST_ENVIRONMENT });
}

async function terminalOf(pid: number): Promise<string | undefined> {
  const folder = `/proc/${pid}/fd`;
  for (const name of await readdir(folder)) {
    const target = await readlink(join(folder, name)).catch(() => '');
    // Its standard three are pipes, or whoever started it.
    if (Number(name) > 2 && /\/pts\/[0-9]+$|^\/[0-9]+$/.test(target)) return join(folder, name);
  }
  return undefined;
}
