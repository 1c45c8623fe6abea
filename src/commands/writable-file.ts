/** Whether a file that an option names can be written, asked before there is anything to write: work is not lost for it. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, usageError } from '../errors.ts';

interface FileOption {
  /** Without dashes. */
  readonly option: string;
  readonly file: string;
  readonly hint: string;
}

/** Of one that is written in its place; what is no plain file (`/dev/stdout`) may be. @throws P2cError `usage`. */
export async function requireWritable(asked: FileOption): Promise<void> {
  const there = await stat(asked.file).catch(() => undefined);
  if (there === undefined || there.isDirectory()) return requireReplaceable(asked);
  await access(asked.file, constants.W_OK).catch((cause: unknown) => {
    throw notWritable(asked, cause);
  });
}

/** Of one that is replaced as a whole, by another that is made beside it. @throws P2cError `usage`. */
export async function requireReplaceable(asked: FileOption): Promise<void> {
  const { file } = asked;
  const folder = dirname(file);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is no folder`);
    const there = await stat(file).catch(() => undefined);
    if (there?.isDirectory() === true) throw new Error('it is a folder');
  } catch (cause) {
    throw notWritable(asked, cause);
  }
}

function notWritable({ option, file, hint }: FileOption, cause: unknown): Error {
  return usageError(`--${option} ${file} cannot be written: ${messageOf(cause)}`, { code: 'usage', hint });
}
