/** `--env-file`: a line each, `KEY=VALUE`, or `KEY` for what it is here; lines that begin with # are none. */
import { readFileSync, statSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { environmentFrom } from './container-process.ts';

const LARGEST = 1024 * 1024;

/** @throws P2cError `usage` where it cannot be read. */
export function readEnvironmentFile(path: string): string[] {
  let text: string;
  try {
    if (statSync(path).size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw usageError(`--env-file '${path}' cannot be read`, { code: 'usage', cause });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trimStart());
  return environmentFrom(lines.filter((line) => line !== '' && !line.startsWith('#')));
}
