/** Commands over one ssh connection: bounded, timed, accounted for in the ledger. */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { messageOf, P2cError } from '../errors.ts';
import { feed } from './feed.ts';
import { commandLine } from './script.ts';
import type { CommandResult, LedgerEntry, Privilege, RemoteCommand, RemoteStream, Session } from './session.ts';
import { Tail } from './tail.ts';
import type { Target } from './target.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
const STDERR_KEPT = 64 * 1024;

/** The session over a connection that stands. Made by `connect`. */
export class RemoteSession implements Session {
  readonly target: Target;
  readonly ledger: LedgerEntry[] = [];
  privilege: Privilege = 'none';
  readonly #client: Client;
  readonly #socket: Socket;
  /** Why the connection ended; set once. */
  #lost: P2cError | undefined;
  readonly #running = new Set<RunningCommand>();
  /** Refusals of channels that were asked for and not opened yet. */
  readonly #opening = new Set<(cause: unknown) => void>();
  readonly #closed: Promise<void>;

  constructor(target: Target, client: Client, socket: Socket) {
    this.target = target;
    this.#client = client;
    this.#socket = socket;
    let cause: unknown;
    client.on('error', (error) => {
      cause ??= error;
    });
    this.#closed = new Promise((resolve) => {
      client.on('close', () => {
        this.#lost ??= lost(target, cause);
        for (const command of this.#running) command.fail(this.#lost);
        for (const refuse of this.#opening) refuse(this.#lost);
        resolve();
      });
    });
  }

  async run(command: RemoteCommand): Promise<CommandResult> {
    const limit = command.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
    const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const running = await this.#start(command, () => {});
    const timer = setTimeout(() => running.fail(timedOut(this.target, command, timeoutMs, 'has not ended')), timeoutMs);
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of running.output(0)) {
        bytes += chunk.length;
        if (bytes > limit) running.fail(tooMuch(this.target, command, limit));
        else chunks.push(chunk);
      }
      return { ...(await running.done), stdout: Buffer.concat(chunks) };
    } finally {
      clearTimeout(timer);
      running.kill();
    }
  }

  async stream(command: RemoteCommand, onStderr: (chunk: Buffer) => void = () => {}): Promise<RemoteStream> {
    const running = await this.#start(command, onStderr);
    const silenceMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return { stdout: running.output(silenceMs), done: running.done, kill: () => running.kill() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lost ??= new P2cError(`the connection to ${this.target.name} was closed by p2c`, { code: 'ssh.lost' });
    this.#client.end();
    const patience = setTimeout(() => this.#socket.destroy(), 1000);
    await this.#closed;
    clearTimeout(patience);
  }

  async #start(command: RemoteCommand, onStderr: (chunk: Buffer) => void): Promise<RunningCommand> {
    if (this.#lost !== undefined) throw this.#lost;
    const privilege = command.privileged === false ? 'none' : this.privilege;
    const channel = await this.#open(command, commandLine(command.script, privilege));
    const running = new RunningCommand(this.target, command, channel, onStderr, (entry) => this.ledger.push(entry));
    this.#running.add(running);
    running.done.catch(() => {}).finally(() => this.#running.delete(running));
    return running;
  }

  #open(command: RemoteCommand, line: string): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: unknown): void => {
        this.#opening.delete(refuse);
        reject(this.#lost ?? noChannel(this.target, command, cause));
      };
      this.#opening.add(refuse);
      try {
        this.#client.exec(line, (error, channel) => {
          if (error !== undefined) refuse(error);
          else if (this.#opening.delete(refuse)) resolve(channel);
        });
      } catch (error) {
        refuse(error);
      }
    });
  }
}

/** One command and its channel. */
class RunningCommand {
  readonly done: Promise<CommandResult>;
  readonly #target: Target;
  readonly #command: RemoteCommand;
  readonly #channel: ClientChannel;
  readonly #stderr = new Tail(STDERR_KEPT);
  readonly #started = performance.now();
  readonly #at = new Date().toISOString();
  #failure: P2cError | undefined;
  #code: number | undefined;
  #settle: () => void = () => {};
  #settled = false;

  constructor(
    target: Target,
    command: RemoteCommand,
    channel: ClientChannel,
    onStderr: (chunk: Buffer) => void,
    record: (entry: LedgerEntry) => void,
  ) {
    this.#target = target;
    this.#command = command;
    this.#channel = channel;
    channel.stderr.on('data', (chunk: Buffer) => {
      this.#stderr.push(chunk);
      onStderr(chunk);
    });
    channel.on('exit', (code: number | null, signal?: string) => {
      this.#code = code ?? 128 + signalNumber(signal);
    });
    channel.on('error', (error: Error) => this.fail(lost(target, error)));
    this.done = new Promise((resolve, reject) => {
      this.#settle = () => {
        if (this.#settled) return;
        this.#settled = true;
        record(this.#entry());
        if (this.#failure !== undefined) reject(this.#failure);
        else if (this.#code === undefined) reject(lost(target, undefined));
        else resolve(this.#result(this.#code));
      };
    });
    channel.on('close', () => this.#settle());
    this.done.catch(() => {});
    if (command.input === undefined) channel.end();
    else void feed(command.input, channel, (error) => this.fail(inputFailed(target, command, error)));
  }

  /** Ends the command with an error: who reads or awaits it gets that. Once it ended, nothing changes. */
  fail(error: P2cError): void {
    this.#failure ??= error;
    this.kill();
  }

  /**
   * ssh2's own `destroy` waits until the other side has closed the channel, and sshd closes it when the command has
   * ended: a command that hangs would hang p2c. So the other side is told, and here all ends at once. The stream is
   * given an error, for without one ssh2's channels (`emitClose: false`) do not wake who reads them.
   */
  kill(): void {
    if (this.#settled) return;
    if (this.#code === undefined) this.#channel.signal('TERM');
    this.#channel.close();
    Duplex.prototype.destroy.call(this.#channel, this.#failure ?? new Error('ended by p2c'));
    this.#settle();
  }

  /** @param silenceMs how long the other side may send nothing while its output is waited for; 0 for ever. */
  async *output(silenceMs: number): AsyncGenerator<Buffer> {
    // While the reader is busy with a chunk, the other side may not send: that silence is ours.
    let waiting = true;
    const watch = (): void => {
      if (waiting) this.fail(timedOut(this.#target, this.#command, silenceMs, 'has sent nothing'));
      else timer?.refresh();
    };
    const timer = silenceMs === 0 ? undefined : setTimeout(watch, silenceMs);
    try {
      for await (const chunk of this.#channel) {
        waiting = false;
        yield chunk as Buffer;
        waiting = true;
        timer?.refresh();
      }
    } catch (error) {
      throw this.#failure ?? lost(this.#target, error);
    } finally {
      clearTimeout(timer);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #result(code: number): CommandResult {
    const durationMs = performance.now() - this.#started;
    return { code, stdout: Buffer.alloc(0), stderr: this.#stderr.toString(), durationMs };
  }

  #entry(): LedgerEntry {
    const { purpose, script, changesSource } = this.#command;
    return {
      at: this.#at,
      purpose,
      script,
      code: this.#code ?? null,
      durationMs: Math.round(performance.now() - this.#started),
      changesSource: changesSource ?? false,
    };
  }
}

/** Shells report a death by signal as 128 and its number (POSIX XCU 2.8.2); ssh gives its name (RFC 4254, 6.10). */
function signalNumber(name: string | undefined): number {
  const signal = `SIG${(name ?? '').replace(/^SIG/, '')}`;
  return new Map(Object.entries(constants.signals)).get(signal) ?? 127;
}

function lost(target: Target, cause: unknown): P2cError {
  return new P2cError(`the connection to ${target.name} was lost`, {
    code: 'ssh.lost',
    hint: 'nothing half-made was kept here; run p2c again once the server can be reached',
    ...(cause === undefined ? {} : { cause }),
  });
}

function noChannel(target: Target, command: RemoteCommand, cause: unknown): P2cError {
  return new P2cError(`${target.name} opened no channel to ${command.purpose}: ${messageOf(cause)}`, {
    code: 'ssh.channel',
    hint: "its sshd may allow few sessions at once (MaxSessions), or the account's shell may be gone",
    cause,
  });
}

function timedOut(target: Target, command: RemoteCommand, limitMs: number, what: string): P2cError {
  return new P2cError(`'${command.purpose}' on ${target.name} ${what} for ${limitMs / 1000} s`, {
    code: 'ssh.command-timeout',
    hint: 'the server may be overloaded, or wait for a dead disk or network mount',
  });
}

function tooMuch(target: Target, command: RemoteCommand, limit: number): P2cError {
  return new P2cError(`'${command.purpose}' on ${target.name} printed more than ${limit} bytes`, {
    code: 'ssh.output',
    hint: 'this is not what that command prints on a healthy server: look at it there',
  });
}

function inputFailed(target: Target, command: RemoteCommand, cause: unknown): P2cError {
  return new P2cError(`the input of '${command.purpose}' on ${target.name} could not be read: ${messageOf(cause)}`, {
    code: 'ssh.input',
    cause,
  });
}
