/** Which command a container runs: the image's, or the user's, or both (image-spec, config.md, Entrypoint and Cmd). */
import * as z from 'zod';
import { usageError } from '../errors.ts';
import type { Image } from '../oci/image.ts';

/**
 * @param entrypoint replaces the image's entrypoint, and its command too, as podman does: a word, or several as a JSON array;
 * empty for none.
 * @throws P2cError `runtime.command` (usage) where there is nothing to run.
 */
export function commandOf(image: Image, entrypoint: string | undefined, command: readonly string[]): string[] {
  const execution = image.config.config ?? {};
  const own = entrypoint === undefined ? (execution.Entrypoint ?? []) : wordsOf(entrypoint);
  const rest = command.length > 0 ? command : entrypoint === undefined ? (execution.Cmd ?? []) : [];
  const words = [...own, ...rest];
  if (words.length === 0 || words[0] === '') {
    const what = words.length === 0 ? 'the image names no command, and none was given' : 'the command is an empty word';
    throw usageError(what, {
      code: 'runtime.command',
      hint: 'give one after the image: p2c run IMAGE /bin/sh',
    });
  }
  if (words.some((word) => word.includes('\0'))) {
    throw usageError('a word of the command holds a NUL byte', { code: 'runtime.command' });
  }
  return words;
}

/** What is no array of texts is one word, as podman has it: a program may well be called `[`. */
function wordsOf(entrypoint: string): readonly string[] {
  if (entrypoint === '') return [];
  try {
    return z.array(z.string()).parse(JSON.parse(entrypoint));
  } catch {
    return [entrypoint];
  }
}
