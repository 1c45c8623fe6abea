/** Feeds a command's standard input at the pace at which the other side takes it. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes all of `input` and ends the stream. A command that ends before it read everything is no error: its exit code
 * tells. `onError` gets what the input itself throws.
 */
export async function feed(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  into: Writable,
  onError: (error: unknown) => void,
): Promise<void> {
  const closed = new Promise<void>((resolve) => into.once('close', () => resolve()));
  try {
    for await (const chunk of input) {
      if (into.destroyed || into.writableEnded) return;
      if (!into.write(chunk)) await Promise.race([once(into, 'drain'), closed]).catch(() => {});
    }
  } catch (error) {
    onError(error);
    return;
  }
  if (!into.destroyed) into.end();
}
