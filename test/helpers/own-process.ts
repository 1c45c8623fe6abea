/** Scripts of the tests in a process of their own, which node reads as it reads the tests: by tsx, or compiled already. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param path of the module, seen from this folder and without its ending. */
export function moduleFile(path: string): string {
  return fileURLToPath(new URL(`${path}${extname(import.meta.url)}`, import.meta.url));
}

/** The words that run a script of this folder. */
export function ownProcess(script: string): readonly string[] {
  return [process.execPath, ...process.execArgv, moduleFile(script)];
}
