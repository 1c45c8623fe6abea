/** Programs of this machine, found where distributions keep them and not in whatever PATH p2c was started with. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { P2cError } from '../errors.ts';
import { HOST_ENVIRONMENT, HOST_PATH } from './isolation.ts';

const execute = promisify(execFile);

/** @param debianPackage which has it, for the hint; without, it is one that every system has. @throws P2cError `engine.tool`. */
export function findProgram(name: string, debianPackage?: string): string {
  for (const folder of HOST_PATH.split(':')) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder may have it.
    }
  }
  throw new P2cError(`the program '${name}' is not installed on this machine`, {
    code: 'engine.tool',
    hint:
      debianPackage === undefined
        ? 'install util-linux (on Debian also bsdutils), coreutils and GNU tar'
        : `apt install ${debianPackage}`,
  });
}

/** Runs one to its end. @param words the first is its path. @throws P2cError `engine.program` where it fails. */
export async function runHostProgram(words: readonly string[]): Promise<void> {
  const [path = '', ...rest] = words;
  try {
    await execute(path, rest, { env: HOST_ENVIRONMENT, cwd: '/' });
  } catch (cause) {
    throw new P2cError(`${basename(path)} failed`, { code: 'engine.program', cause });
  }
}
