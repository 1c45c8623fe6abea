/**
 * The one error type of p2c, and the one place that turns it into words for a person or a machine.
 * Messages say what happened with numbers; `hint` says what to do about it; `cause` is what lay beneath.
 */
import { printable } from './printable.ts';

/** Exit codes of the command line; a script may rely on them. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  blindSpots: 3,
  differences: 4,
  /** Of a container, as a shell and podman have them. */
  commandUnusable: 126,
  commandMissing: 127,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface P2cErrorDetails {
  /** Stable, machine-readable: `ssh.refused`, `profile.invalid`… */
  readonly code: string;
  /** What to do about it, as a sentence or a command. */
  readonly hint?: string;
  readonly cause?: unknown;
  readonly exitCode?: ExitCode;
}

/** A failure p2c expects and can explain. Everything else that is thrown is a bug and prints its stack. */
export class P2cError extends Error {
  override readonly name = 'P2cError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, details: P2cErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.hint = details.hint;
    this.exitCode = details.exitCode ?? ExitCode.failed;
  }
}

/** Bad input: found before anything slow or destructive was started. Exit code 2. */
export function usageError(message: string, details: Omit<P2cErrorDetails, 'exitCode'>): P2cError {
  return new P2cError(message, { ...details, exitCode: ExitCode.usage });
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code (`ENOENT`, `ECONNREFUSED`…) of anything thrown, if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Words a failure for a terminal: the fact, its causes, the remedy; control characters escaped. */
export function describeError(error: unknown): string {
  if (!(error instanceof P2cError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `p2c: internal error (please report it): ${printable(stack, { newlines: true })}`;
  }
  const lines = [`p2c: ${printable(error.message, { newlines: true })}`];
  for (const cause of causesOf(error)) lines.push(`  cause: ${printable(messageOf(cause), { newlines: true })}`);
  if (error.hint !== undefined) lines.push(`  hint: ${printable(error.hint, { newlines: true })}`);
  return lines.join('\n');
}

/** The same for `--json`, which people read on terminals too: JSON itself escapes neither C1 nor what turns text around. */
export function errorRecord(error: unknown): { code: string; message: string; hint?: string; causes: string[] } {
  const code = error instanceof P2cError ? error.code : 'internal';
  const hint = error instanceof P2cError ? error.hint : undefined;
  const safe = (text: string): string => printable(text, { newlines: true });
  const causes = causesOf(error).map((cause) => safe(messageOf(cause)));
  return { code, message: safe(messageOf(error)), ...(hint === undefined ? {} : { hint: safe(hint) }), causes };
}

/** At most eight, so that a chain that refers to itself ends. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  let current = error instanceof Error ? error.cause : undefined;
  while (current !== undefined && causes.length < 8) {
    causes.push(current);
    current = current instanceof Error ? current.cause : undefined;
  }
  return causes;
}
