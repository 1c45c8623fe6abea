/** Whether a host has refused a password so that its turn is not to bring it again: what locks accounts counts each time. */
import { P2cError } from '../errors.ts';
import { LoginRefused } from '../ssh/authentication.ts';
import type { ConnectOptions } from '../ssh/connect.ts';

export class PasswordRefused extends Error {
  /** What the host's turn would come to as well. */
  readonly failure: P2cError;
  /** True where a person can be asked for another one then. */
  readonly another: boolean;

  constructor(failure: P2cError, another: boolean) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.another = another;
  }
}

/**
 * @param connect of the host's turn. Its password alone was tried, and nobody was asked for anything.
 * @returns undefined where another try may come to something else.
 */
export function passwordRefused(error: unknown, connect: ConnectOptions): PasswordRefused | undefined {
  if (!(error instanceof P2cError)) return undefined;
  if (error instanceof LoginRefused) {
    if (!error.passwordRefused) return undefined;
    if (connect.prompt === undefined) return new PasswordRefused(error, false);
    // With a person to answer what nobody could, the password may be right.
    return error.unanswered ? undefined : new PasswordRefused(error, true);
  }
  // Nobody is asked for a second one where it was given.
  const becoming = error.code === 'ssh.become' || error.code === 'ssh.terminal';
  return becoming && connect.become?.password !== undefined ? new PasswordRefused(error, false) : undefined;
}
