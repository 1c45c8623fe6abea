import { P2cError } from '../../src/errors.ts';

/** @returns the error with which an attempt fails. @throws what is no P2cError, and where the attempt succeeds. */
export async function failure(attempt: Promise<unknown>): Promise<P2cError> {
  const error: unknown = await attempt.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof P2cError) return error;
  throw error;
}
