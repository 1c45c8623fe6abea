/** Waits for work that knows of no signal: a person's answer, or a program's. */

/**
 * @param end ends what can be ended, before anybody is told.
 * @throws the signal's reason where it aborts first, or has. What the work comes to then is nobody's.
 */
export async function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
  end: () => void,
): Promise<Result> {
  if (signal === undefined) return await work;
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      end();
      reject(signal.reason);
    };
  });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
