/** How a login that is not root's gets root's rights: sudo, doas or su, and the password that they ask for. */
import { randomBytes } from 'node:crypto';
import type { Secret } from './secret.ts';

export const BECOME_METHODS = ['sudo', 'doas', 'su'] as const;
export type BecomeMethod = (typeof BECOME_METHODS)[number];

export interface BecomeOptions {
  readonly method: BecomeMethod;
  /** The password that it asks for: the user's own for sudo and doas, root's for su. Default: a person is asked. */
  readonly password?: (() => Promise<Secret>) | undefined;
}

/** How the commands of one session become root's. */
export interface Elevation {
  readonly method: BecomeMethod;
  readonly password: Secret | undefined;
  /**
   * Ends the password's part of the standard input, and the part of standard error that is not the script's: a program
   * that asks for no password after all would leave it to the script's data, and one that asks says so there.
   */
  readonly marker: string;
  /** True where it needs a terminal: then nothing but the password is on its standard input until the script runs. */
  readonly terminal: boolean;
  /**
   * True while nobody knows whether the password is right: then nothing follows it. A sudo that was given a wrong one takes
   * the next line for another, and each is one more failure to what locks accounts (pam_faillock; the end of the input is
   * one as well, for sudo asks again, and nobody but root can end it there).
   */
  readonly tried?: boolean;
}

export function elevationBy(method: BecomeMethod, password?: Secret, terminal = false): Elevation {
  return { method, password, terminal, marker: `p2c-${randomBytes(12).toString('hex')}` };
}

/** The words before the shell's `-c SCRIPT`. */
export function becomeWords({ method, password, terminal }: Elevation): string {
  if (method === 'su') return 'su -s /bin/sh ';
  if (method === 'doas') return password === undefined ? 'doas -n sh ' : 'doas sh ';
  if (terminal && password !== undefined) return "sudo -p 'Password:' sh ";
  return password === undefined ? 'sudo -n sh ' : "sudo -S -p '' sh ";
}

/** The words after it: su takes the user there. */
export function becomeUser({ method }: Elevation): string {
  return method === 'su' ? ' root' : '';
}

/**
 * What the script does before its own work: takes from its input what nobody asked for, byte by byte as `read` does, and
 * tells that it runs. What was said before is not the script's: a sudo may warn before each command.
 */
export function arrival({ password, marker, terminal }: Elevation, input: boolean): string {
  if (terminal) return '';
  if (password === undefined) return `echo ${marker} >&2; `;
  const rest = input ? '' : 'exec </dev/null; ';
  return `while IFS= read -r p2c_line && [ "$p2c_line" != ${marker} ]; do :; done; unset p2c_line; ${rest}echo ${marker} >&2; `;
}

/** What comes before the data on the standard input. */
export function passwordInput({ password, marker, terminal, tried }: Elevation): Buffer | undefined {
  if (password === undefined || terminal) return undefined;
  return Buffer.from(`${password.reveal()}\n${tried === true ? '' : `${marker}\n`}`);
}
