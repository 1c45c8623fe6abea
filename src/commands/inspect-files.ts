/** The files that `p2c inspect` writes: what was found, and the plan as a profile. */
import { closeSync, existsSync, fchmodSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { messageOf, P2cError, usageError } from '../errors.ts';
import type { Inspected } from '../pipeline/inspect.ts';
import { loadProfileFile } from '../profiles/load.ts';
import { savedText } from '../report/inspect-compare.ts';
import { requireWritable } from './writable-file.ts';

export interface InspectFiles {
  readonly save: string | undefined;
  readonly 'write-profile': string | undefined;
}

/** Before a server is gone to. @throws P2cError `inspect.exists`, `usage`. */
export async function requireInspectFiles({ save, 'write-profile': profile }: InspectFiles): Promise<void> {
  if (profile !== undefined && existsSync(profile)) {
    throw usageError(`${profile} exists: what was edited in it would be lost`, {
      code: 'inspect.exists',
      hint: 'name another file, or remove this one',
    });
  }
  const hint = 'name a file in a folder that is there and that you may write to';
  if (save !== undefined) await requireWritable({ option: 'save', file: save, hint });
  if (profile !== undefined) await requireWritable({ option: 'write-profile', file: profile, hint });
}

/** @throws P2cError `inspect.write`. */
export function writeInspectFiles({ save, 'write-profile': profile }: InspectFiles, inspected: Inspected): void {
  if (save !== undefined) write(save, savedText(inspected.report), 'w', 0o600);
  if (profile !== undefined) writeProfile(profile, inspected.profile());
}

function write(file: string, text: string, flag: 'w' | 'wx', mode: number): void {
  try {
    const descriptor = openSync(file, flag, mode);
    try {
      // One that was there has the mode it had, which may let others read it.
      if (flag === 'w' && fstatSync(descriptor).isFile()) fchmodSync(descriptor, mode);
      writeFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new P2cError(`${file} cannot be written: ${messageOf(cause)}`, { code: 'inspect.write', cause });
  }
}

function writeProfile(file: string, text: string): void {
  write(file, text, 'wx', 0o644);
  loadProfileFile(file);
  const name = file.includes('/') ? file : `./${file}`;
  process.stderr.write(`The plan is in ${file}: edit it, then 'p2c migrate --profile ${name} …'\n`);
}
