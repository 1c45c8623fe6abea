/** Several things at once of which one failure spoils all. */

/** Like Promise.all, but comes back only when all have ended, with the first error. @param onError is to end the others. */
export async function allOrNone<Result>(
  work: readonly Promise<Result>[],
  onError: (error: unknown) => void,
): Promise<Result[]> {
  let first: { error: unknown } | undefined;
  const results = await Promise.all(
    work.map((each) =>
      each.catch((error: unknown) => {
        first ??= { error };
        onError(error);
        return undefined;
      }),
    ),
  );
  if (first !== undefined) throw first.error;
  return results.filter((result) => result !== undefined);
}
