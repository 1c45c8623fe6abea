/** What this process would leave behind on a source if it ended at once: said when it is interrupted a second time. */

const leavings = new Set<() => string | undefined>();

/**
 * Notes something that would be left behind. @param describe a sentence, or undefined where nothing is left just then.
 * @returns a function that takes the note back.
 */
export function leaving(describe: () => string | undefined): () => void {
  leavings.add(describe);
  return () => void leavings.delete(describe);
}

/** Sentences, one for each thing. */
export function whatWouldBeLeft(): string[] {
  return [...leavings].flatMap((describe) => describe() ?? []);
}
