/**
 * The one door to a source. Every remote command of p2c is a {@link RemoteCommand}, run through a {@link Session},
 * which quotes it, bounds it and writes it into the ledger. Nothing else in p2c talks to a source.
 */
import type { P2cError } from '../errors.ts';
import type { BecomeMethod } from './become.ts';
import type { Compressor } from './compression.ts';
import type { Target } from './target.ts';

export interface RemoteCommand {
  /** What it is for, in a few words: `list /`, `stop nginx`. Shown in the ledger, in errors and by `--dry-run`. */
  readonly purpose: string;
  /** One POSIX-sh script; arguments are put in with `quote()`. It runs under `LC_ALL=C`. */
  readonly script: string;
  /** Milliseconds before the command is given up; for streams, of silence. Default 60 000. */
  readonly timeoutMs?: number;
  /** Bytes for its standard input, pulled as the other side takes them. */
  readonly input?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Bytes of standard output kept by `run` before the command is refused. Default 4 MiB. */
  readonly maxOutputBytes?: number;
  /** True where the command changes the source: only a profile's stop and start may. */
  readonly changesSource?: boolean;
  /**
   * True where it may be run again though nobody knows whether the first run went through: the link was lost under it.
   * Default: where it does not change the source.
   */
  readonly repeatable?: boolean;
  /** What its output is compressed with on the source; a stream gives it as it was before. */
  readonly compressor?: Compressor;
  /** False runs it as the user who logged in, without sudo. Default true. */
  readonly privileged?: boolean;
}

/** A command as `--dry-run` shows it. */
export interface PlannedCommand extends RemoteCommand {
  /** Where it does not run just once: how often, or on what condition. */
  readonly when?: string;
  /** What its standard input will be, where that is known beforehand. */
  readonly inputText?: string;
}

export interface CommandResult {
  /** Exit code; 128 + n where signal n ended it. */
  readonly code: number;
  readonly stdout: Buffer;
  /** The last 64 KiB of standard error, decoded leniently. */
  readonly stderr: string;
  readonly durationMs: number;
}

export interface RemoteStream {
  /**
   * Standard output as it comes, pulled: what is not read is not sent. Throws `ssh.lost` where the link breaks and
   * `ssh.command-timeout` where the other side is silent for too long. To be read once.
   */
  readonly stdout: AsyncIterable<Buffer>;
  /** Settles when the command ended and its output was read; rejects where the link was lost. `stdout` is empty in it. */
  readonly done: Promise<CommandResult>;
  /** Ends the command early: closes its channel. Safe to call twice. */
  kill(): void;
}

/** One line of the account of what was done to a source. */
export interface LedgerEntry {
  readonly at: string;
  readonly purpose: string;
  readonly script: string;
  readonly code: number | null;
  readonly durationMs: number;
  readonly changesSource: boolean;
}

/** How commands get root's rights on the source. */
export type Privilege = 'root' | BecomeMethod | 'none';

export interface Session extends AsyncDisposable {
  readonly target: Target;
  readonly privilege: Privilege;
  readonly ledger: readonly LedgerEntry[];
  /** Runs to its end. A non-zero exit code is a result; a timeout, too much output or a lost link rejects. */
  run(command: RemoteCommand): Promise<CommandResult>;
  /** Starts it and hands over its output while it runs. `onStderr` sees each chunk of standard error. */
  stream(command: RemoteCommand, onStderr?: (chunk: Buffer) => void): Promise<RemoteStream>;
}

/** Whoever runs commands as a session does, be it in a container that was made of the source. */
export type CommandRunner = Pick<Session, 'run'>;

/** A session over one connection, which tells why that ended. */
export interface ConnectedSession extends Session {
  readonly lost: P2cError | undefined;
}
