/** Output that is too long for memory: written no faster than its reader takes it. */
import { once } from 'node:events';

const CHUNK = 64 * 1024;

/** To standard output, with a line feed at the end. @throws the signal's reason where it aborts. */
export async function printPieces(pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  let text = '';
  for await (const piece of pieces) {
    signal.throwIfAborted();
    text += piece;
    if (text.length < CHUNK) continue;
    if (!process.stdout.write(text)) await drained(signal);
    text = '';
  }
  process.stdout.write(`${text}\n`);
}

/** Waits until standard output takes more. */
export async function drained(signal?: AbortSignal): Promise<void> {
  await once(process.stdout, 'drain', signal === undefined ? {} : { signal });
}
