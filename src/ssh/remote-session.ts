/** Commands over one ssh connection: bounded, timed, accounted for in the ledger. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Client, ClientChannel, ExecOptions } from 'ssh2';
import { P2cError } from '../errors.ts';
import type { Elevation } from './become.ts';
import { decompressed } from './compression.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { ledgerEntry, RunningCommand } from './running-command.ts';
import { commandLine } from './script.ts';
import type {
  CommandResult,
  ConnectedSession,
  LedgerEntry,
  Privilege,
  RemoteCommand,
  RemoteStream,
} from './session.ts';
import { linkClosed, linkLost, noChannel, timedOut, tooMuchOutput } from './session-errors.ts';
import type { Target } from './target.ts';
import { RAW_TERMINAL, TerminalChannel } from './terminal-channel.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
/**
 * Pauses after which a channel that was refused is asked for again. sshd counts an ended session among its MaxSessions
 * until it has worked through what it received with the end of it: at one session at most, each command would fail.
 */
const OPEN_AGAIN_MS = [20, 50, 100, 200];
/** How long the other side may take to close the connection when p2c does. */
const GOODBYE_MS = 1000;

export interface SessionManners {
  /** What all output passes. */
  readonly limiter?: RateLimiter | undefined;
  /** Milliseconds for which a stream may be silent, in place of what its command allows. */
  readonly idleTimeoutMs?: number | undefined;
  /** Told of each command when it has ended. */
  readonly onCommand?: ((entry: LedgerEntry) => void) | undefined;
}

/** The session over a connection that stands. Made by `connect`. */
export class RemoteSession implements ConnectedSession {
  readonly target: Target;
  readonly ledger: LedgerEntry[] = [];
  #privilege: Privilege = 'none';
  #elevation: Elevation | undefined;
  #greeting: string | undefined;
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #carriers: AsyncDisposable;
  readonly #manners: SessionManners;
  /** Why the connection ended; set once. */
  #lost: P2cError | undefined;
  readonly #running = new Set<RunningCommand>();
  readonly #terminals = new Set<TerminalChannel>();
  /** Refusals of channels that were asked for and not opened yet. */
  readonly #opening = new Set<(cause: unknown) => void>();
  /**
   * Of those, what asks again for the ones that the server has no room for, first come first: when a command has ended, or
   * another of them got in. What comes later waits behind them: it might wait for what they find out.
   */
  readonly #waiting = new Map<number, () => void>();
  #arrivals = 0;
  readonly #closed: Promise<void>;

  /** @param carriers connections that this one goes through: given back after it. */
  constructor(target: Target, client: Client, socket: Duplex, carriers: AsyncDisposable, manners: SessionManners = {}) {
    this.#manners = manners;
    this.target = target;
    this.#carriers = carriers;
    this.#client = client;
    this.#socket = socket;
    let cause: unknown;
    client.on('error', (error) => {
      cause ??= error;
      // Every error of a standing connection ends it (RFC 4253, 11.1); ssh2 waits for the other side to hang up.
      socket.destroy();
    });
    socket.on('data', () => {
      for (const command of this.#running) command.checkUnread();
    });
    this.#closed = new Promise((resolve) => {
      const closed = (): void => {
        this.#lost ??= linkLost(target, cause);
        for (const command of this.#running) command.fail(this.#lost);
        for (const refuse of this.#opening) refuse(this.#lost);
        resolve();
      };
      if (socket.destroyed) closed();
      else client.on('close', closed);
    });
  }

  get privilege(): Privilege {
    return this.#privilege;
  }

  /** Commands are root's as they are. */
  rootLogin(): void {
    this.#privilege = 'root';
  }

  /** Commands from now on become root's this way. */
  elevate(elevation: Elevation): void {
    this.#privilege = elevation.method;
    this.#elevation = elevation;
  }

  /** What was tried did not make them root's. */
  notElevated(): void {
    this.#privilege = 'none';
    this.#elevation = undefined;
  }

  /** The login prints text before commands run: from now on it is passed over. */
  passOverGreeting(): void {
    this.#greeting = `p2c-${randomBytes(12).toString('hex')}`;
  }

  get lost(): P2cError | undefined {
    return this.#lost;
  }

  async run(command: RemoteCommand): Promise<CommandResult> {
    const limit = command.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
    const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const late = timedOut(this.target, command, timeoutMs, 'has not ended');
    const deadline = performance.now() + timeoutMs;
    const running = await this.#start(command, () => {}, timeoutMs);
    const timer = setTimeout(() => running.fail(late), deadline - performance.now());
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of running.output(0)) {
        bytes += chunk.length;
        if (bytes > limit) throw tooMuchOutput(this.target, command, limit);
        chunks.push(chunk);
      }
      return { ...(await running.done), stdout: Buffer.concat(chunks) };
    } finally {
      clearTimeout(timer);
      running.kill();
    }
  }

  async stream(command: RemoteCommand, onStderr: (chunk: Buffer) => void = () => {}): Promise<RemoteStream> {
    const silenceMs = this.#manners.idleTimeoutMs ?? command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const running = await this.#start(command, onStderr, silenceMs);
    const output = running.output(silenceMs);
    const { compressor } = command;
    const stdout = compressor === undefined ? output : decompressed(output, compressor);
    return { stdout, done: running.done, kill: () => running.kill() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lost ??= linkClosed(this.target);
    for (const command of this.#running) command.fail(this.#lost);
    await Promise.all([...this.#terminals].map(({ gone }) => gone));
    this.#client.end();
    const patience = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    await this.#closed;
    clearTimeout(patience);
    await this.#carriers[Symbol.asyncDispose]();
  }

  #start(command: RemoteCommand, onStderr: (chunk: Buffer) => void, limitMs: number): Promise<RunningCommand> {
    const elevation = command.privileged === false ? undefined : this.#elevation;
    const line = commandLine(command.script, command.input !== undefined, elevation, this.#greeting);
    const terminal = elevation?.terminal === true ? elevation : undefined;
    return this.#open(command, line, limitMs, terminal, (opened) => {
      const channel = terminal === undefined ? opened : this.#terminalOf(opened, terminal);
      const running = new RunningCommand(
        this.target,
        command,
        channel,
        { elevation, limiter: this.#manners.limiter, greeting: this.#greeting },
        {
          onStderr,
          onEnd: (entry) => {
            this.#account(entry);
            this.#running.delete(running);
            this.#askAgain();
          },
        },
      );
      this.#running.add(running);
      return running;
    });
  }

  #terminalOf(opened: ClientChannel, elevation: Elevation): TerminalChannel {
    const channel = new TerminalChannel(opened, elevation, this.#greeting);
    this.#terminals.add(channel);
    channel.gone.then(() => this.#terminals.delete(channel));
    return channel;
  }

  /**
   * @param begin is called in ssh2's own callback: the channel's opening, output, exit status and end may come in one
   * segment, and are told one after the other without a pause in which a promise could resolve.
   */
  #open(
    command: RemoteCommand,
    line: string,
    limitMs: number,
    terminal: Elevation | undefined,
    begin: (channel: ClientChannel) => RunningCommand,
  ): Promise<RunningCommand> {
    const at = new Date();
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      let refuse = (_cause: unknown): void => {};
      let cause: unknown;
      const late = setTimeout(
        () => refuse(cause ?? timedOut(this.target, command, limitMs, 'has not been started')),
        limitMs,
      );
      const settled = (): boolean => {
        clearTimeout(late);
        return !this.#opening.delete(refuse);
      };
      refuse = (reason) => {
        if (settled()) return;
        // What was asked for may have been begun, though no answer came: the account must not lack it.
        this.#account(ledgerEntry(command, at.toISOString(), null, Date.now() - at.getTime()));
        reject(reason);
        this.#askAgain();
      };
      this.#opening.add(refuse);
      this.#arrivals += 1;
      const place = this.#arrivals;
      const wait = (pauses: readonly number[]): void => {
        const [pause, ...later] = pauses;
        const timer = pause === undefined ? undefined : setTimeout(() => again(later), pause);
        const again = (next: readonly number[]): void => {
          clearTimeout(timer);
          this.#waiting.delete(place);
          ask(next);
        };
        this.#waiting.set(place, () => again(OPEN_AGAIN_MS));
      };
      const ask = (pauses: readonly number[]): void => {
        if (!this.#opening.has(refuse)) return;
        this.#exec(line, terminal === undefined ? {} : { pty: RAW_TERMINAL }, (error, channel) => {
          if (channel !== undefined) {
            if (settled()) channel.close();
            else resolve(begin(channel));
            this.#askAgain();
            return;
          }
          cause = this.#lost ?? (error instanceof P2cError ? error : noChannel(this.target, command, error));
          const mayWait = this.#lost === undefined && (pauses.length > 0 || this.#running.size > 0);
          if (isOpenFailure(error) && mayWait) wait(pauses);
          else refuse(cause);
        });
      };
      if (this.#waiting.size > 0) wait([]);
      else ask(OPEN_AGAIN_MS);
    });
  }

  #askAgain(): void {
    const inOrder = [...this.#waiting].sort(([a], [b]) => a - b);
    for (const [, turn] of inOrder) turn();
  }

  #account(entry: LedgerEntry): void {
    this.ledger.push(entry);
    this.#manners.onCommand?.(entry);
  }

  /** ssh2 throws where the connection is gone already, and calls back where it goes later. */
  #exec(
    line: string,
    options: ExecOptions,
    done: (error: Error | undefined, channel: ClientChannel | undefined) => void,
  ): void {
    try {
      this.#client.exec(line, options, (error, channel) => done(error, error === undefined ? channel : undefined));
    } catch (error) {
      done(linkLost(this.target, error), undefined);
    }
  }
}

/** The server opened no session; that it would not run a command in one comes without a reason code (RFC 4254, 5.1). */
function isOpenFailure(error: Error | undefined): boolean {
  return error !== undefined && 'reason' in error;
}
