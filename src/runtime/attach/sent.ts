/** Writing no faster than the other end reads. */
import type { Writable } from 'node:stream';

/** Writes, and waits where the other end is slow; one that is gone is not waited for. Of its listeners none stays. */
export async function sent(target: Writable, bytes: Buffer): Promise<void> {
  if (target.destroyed || target.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) target.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) target.on(event, done);
  });
}
