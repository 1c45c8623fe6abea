/** One command on a source, and the channel that carries it. */

import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import type { P2cError } from '../errors.ts';
import { AfterMarker } from './after-marker.ts';
import { type Elevation, passwordInput } from './become.ts';
import { chunksOf } from './chunks.ts';
import { feed } from './feed.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { CommandResult, LedgerEntry, RemoteCommand } from './session.ts';
import {
  greetedOnly,
  inputFailed,
  killed,
  leftUnfinished,
  linkLost,
  notElevated,
  timedOut,
  windowIgnored,
} from './session-errors.ts';
import { Tail } from './tail.ts';
import type { Target } from './target.ts';

const STDERR_KEPT = 64 * 1024;
/** ssh2 allows a channel 2 MiB at a time, and up to twice that can wait to be read. */
const MOST_UNREAD = 8 * 1024 * 1024;

/** What carries a command: a channel of ssh2's, or a terminal that looks like one. */
export type CommandChannel = Duplex & {
  readonly stderr: Pick<EventEmitter, 'on'>;
  signal(name: string): void;
  close(): void;
};

/** Where a command's progress is told. */
export interface CommandEvents {
  readonly onStderr: (chunk: Buffer) => void;
  /** Called once, before `done` settles. */
  readonly onEnd: (entry: LedgerEntry) => void;
}

export interface CommandManner {
  /** How it becomes root's, where it does: a password goes before its input. */
  readonly elevation: Elevation | undefined;
  readonly limiter: RateLimiter | undefined;
  /** The line before its own output, where the login prints something before that. */
  readonly greeting?: string | undefined;
}

export class RunningCommand {
  readonly done: Promise<CommandResult>;
  readonly #target: Target;
  readonly #command: RemoteCommand;
  readonly #channel: CommandChannel;
  readonly #stderr = new Tail(STDERR_KEPT);
  readonly #started = performance.now();
  readonly #at = new Date().toISOString();
  readonly #events: CommandEvents;
  readonly #limiter: RateLimiter | undefined;
  /** Waits for the script's sign that it runs as root. */
  readonly #arrival: AfterMarker | undefined;
  /** Passes over what the login prints: on standard output, and on standard error where nothing else does. */
  readonly #greetings: { readonly output: AfterMarker; readonly errors: AfterMarker | undefined } | undefined;
  #failure: P2cError | undefined;
  #code: number | undefined;
  #settle: () => void = () => {};
  #settled = false;
  /** Counts the time since the source was last heard, while its output is read. */
  #silence: NodeJS.Timeout | undefined;

  constructor(
    target: Target,
    command: RemoteCommand,
    channel: CommandChannel,
    { elevation, limiter, greeting }: CommandManner,
    events: CommandEvents,
  ) {
    this.#target = target;
    this.#command = command;
    this.#channel = channel;
    this.#events = events;
    this.#limiter = limiter;
    this.#arrival = elevation === undefined ? undefined : new AfterMarker(elevation.marker);
    if (greeting !== undefined && elevation?.terminal !== true) {
      this.#greetings = {
        output: new AfterMarker(greeting),
        errors: elevation === undefined ? new AfterMarker(greeting) : undefined,
      };
    }
    this.done = new Promise((resolve, reject) => {
      this.#settle = () => {
        if (this.#settled) return;
        this.#settled = true;
        this.#stopListening();
        if (this.#code === undefined) this.#failure ??= leftUnfinished(target, command);
        if (this.#arrival?.found === false) this.#failure ??= notElevated(target, this.#arrival.before);
        this.#checkGreeting(true);
        events.onEnd(ledgerEntry(command, this.#at, this.#code ?? null, this.#age()));
        if (this.#failure !== undefined) reject(this.#failure);
        else resolve(this.#result(this.#code ?? 0));
      };
    });
    // Who only reads the output learns of a failure there.
    this.done.catch(() => {});
    this.#listen();
    const password = elevation === undefined ? undefined : passwordInput(elevation);
    if (password !== undefined) channel.write(password);
    // Without input the command reads /dev/null, and the channel stays open: ssh2 sends signals on no other.
    if (command.input !== undefined)
      void feed(command.input, channel, (error) => this.fail(inputFailed(target, command, error)));
  }

  #listen(): void {
    const channel = this.#channel;
    channel.stderr.on('data', (written: Buffer) => {
      this.#silence?.refresh();
      const chunk = (this.#arrival ?? this.#greetings?.errors)?.push(written) ?? written;
      if (chunk.length === 0) return;
      this.#stderr.push(chunk);
      this.#events.onStderr(chunk);
    });
    channel.on('exit', (code: number | null, signal?: string) => {
      this.#code = code ?? 128 + signalNumber(signal);
    });
    // A source that takes a long input is not silent, though it says nothing until it has all of it.
    channel.on('drain', () => this.#silence?.refresh());
    channel.on('error', (error: Error) => this.fail(linkLost(this.#target, error)));
    channel.on('close', () => this.#settle());
  }

  /** Ends the command with an error: who reads or awaits it gets that. Once it ended, nothing changes. */
  fail(error: P2cError): void {
    if (this.#settled) return;
    this.#failure ??= error;
    this.#end(this.#failure);
  }

  /** Ends the command where it has not ended by itself. */
  kill(): void {
    if (this.#settled) return;
    if (this.#code === undefined) this.fail(killed(this.#target, this.#command));
    else this.#end(killed(this.#target, this.#command));
  }

  /**
   * ssh2's own `destroy` waits until the other side has closed the channel, and sshd closes it when the command has
   * ended: a command that hangs would hang p2c. So the other side is told, and here all ends at once (OpenSSH passes
   * the signal on to nobody in a session of root's; there the command goes on until it writes or reads). The stream is
   * given an error, for without one ssh2's channels (`emitClose: false`) do not wake who reads them.
   */
  #end(reason: Error): void {
    if (this.#code === undefined) this.#channel.signal('TERM');
    this.#channel.close();
    this.#settle();
    Duplex.prototype.destroy.call(this.#channel, reason);
  }

  /** Fails the command where the other side sent more than it was allowed to, and nobody read it. */
  checkUnread(): void {
    const bytes = this.#channel.readableLength;
    if (bytes > MOST_UNREAD) this.fail(windowIgnored(this.#target, this.#command, bytes));
  }

  /** @param silenceMs how long the other side may send nothing while its output is waited for; 0 for ever. */
  async *output(silenceMs: number): AsyncGenerator<Buffer> {
    // While the reader is busy with a chunk, the other side may not send: that silence is ours.
    let waiting = true;
    const watch = (): void => {
      if (waiting) this.fail(timedOut(this.#target, this.#command, silenceMs, 'has sent nothing'));
    };
    const arrive = (chunk: Buffer): Buffer => this.#greetings?.output.push(chunk) ?? chunk;
    if (silenceMs > 0 && !this.#settled) this.#silence = setTimeout(watch, silenceMs);
    try {
      for await (const chunk of chunksOf(this.#channel, arrive)) {
        waiting = false;
        if (this.#limiter !== undefined) await this.#turn(this.#limiter, chunk.length);
        this.#checkGreeting(false);
        if (chunk.length > 0) yield chunk;
        waiting = true;
        this.#silence?.refresh();
      }
      // The last byte that came is the last there is only when the command has ended.
      await this.done;
    } catch (error) {
      throw this.#failure ?? linkLost(this.#target, error);
    } finally {
      this.#stopListening();
      // A reader that leaves early wants no more of it.
      this.kill();
    }
  }

  #checkGreeting(ended: boolean): void {
    const output = this.#greetings?.output;
    if (output === undefined || output.found) return;
    if (ended) this.#failure ??= greetedOnly(this.#target, this.#command, output.before);
    else if (output.endless) this.fail(greetedOnly(this.#target, this.#command, output.before));
  }

  /** Waits until as many bytes may have come; not for a command that has ended. */
  async #turn(limiter: RateLimiter, bytes: number): Promise<void> {
    const settled = this.done.then(
      () => {},
      () => {},
    );
    const turn = limiter.take(bytes);
    await Promise.race([turn, settled]);
  }

  #stopListening(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #result(code: number): CommandResult {
    return { code, stdout: Buffer.alloc(0), stderr: this.#stderr.toString(), durationMs: this.#age() };
  }

  #age(): number {
    return performance.now() - this.#started;
  }
}

export function ledgerEntry(command: RemoteCommand, at: string, code: number | null, durationMs: number): LedgerEntry {
  const { purpose, script, changesSource } = command;
  return { at, purpose, script, code, durationMs: Math.round(durationMs), changesSource: changesSource ?? false };
}

/** Shells report a death by signal as 128 and its number (POSIX XCU 2.8.2); ssh gives its name (RFC 4254, 6.10). */
function signalNumber(name: string | undefined): number {
  const signal = `SIG${(name ?? '').replace(/^SIG/, '')}`;
  return new Map(Object.entries(constants.signals)).get(signal) ?? 127;
}
