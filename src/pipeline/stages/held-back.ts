/** Output that is taken, and looked at only when something else is known. */

/**
 * @param limit bytes that are taken before `ready`; then whoever sends has to wait.
 * @throws what `ready` rejects with.
 */
export async function* heldBack(
  chunks: AsyncIterable<Buffer>,
  ready: Promise<unknown>,
  limit: number,
): AsyncGenerator<Buffer> {
  let known = false;
  const know = (): void => {
    known = true;
  };
  ready.then(know, know);
  const held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    bytes += chunk.length;
    if (!known && bytes < limit) continue;
    await ready;
    yield* held.splice(0);
  }
  await ready;
  yield* held;
}
