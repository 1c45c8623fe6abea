/** The chunks of a stream, each as it came: reading one that is paused joins all that waits into one buffer more. */
import type { Readable } from 'node:stream';

/** Held for a reader that is busy. A stream that is stopped holds its own besides, and none of it is copied. */
const MOST_HELD = 256 * 1024;

/**
 * As iterating the stream itself, also in how it ends: what threw is thrown at once, and what was not read by then is lost.
 * @param arrive gets each chunk when it comes, which is before the stream ends; the reader gets what it returns, later.
 */
export async function* chunksOf(stream: Readable, arrive = (chunk: Buffer) => chunk): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  let ended = stream.readableEnded;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => {};
  const take = (chunk: Buffer): void => {
    held.push(arrive(chunk));
    bytes += chunk.length;
    if (bytes >= MOST_HELD) stream.pause();
    wake();
  };
  const fail = (error: unknown): void => {
    failure ??= { error };
    wake();
  };
  const end = (): void => {
    ended = true;
    wake();
  };
  // What is closed before its end is no whole output. ssh2 closes a channel while it tells of the end.
  const close = (): void => {
    if (!stream.readableEnded) fail(new Error('the stream was closed before its end'));
  };
  stream.on('data', take).on('error', fail).on('end', end).on('close', close);
  if (stream.errored !== null) fail(stream.errored);
  else if (stream.destroyed) close();
  try {
    for (;;) {
      const batch = held;
      held = [];
      bytes = 0;
      for (const chunk of batch) {
        if (failure !== undefined) throw failure.error;
        yield chunk;
      }
      if (failure !== undefined) throw failure.error;
      if (held.length > 0) continue;
      if (ended) return;
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (stream.isPaused()) stream.resume();
      await more;
    }
  } finally {
    stream.off('data', take).off('error', fail).off('end', end).off('close', close);
    stream.pause();
  }
}
