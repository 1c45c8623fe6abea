/** What carries the bytes of a connection: a socket, a channel of a jump host's connection, or the user's own program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as openSocket } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { messageOf, P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Target } from './target.ts';

/** Opens it. What comes after `abandoned` is nobody's, and ends at once. */
export type Dial = (abandoned: AbortSignal) => Promise<Duplex>;

export function dialDirectly({ host, port }: Target, family: 4 | 6 | undefined): Dial {
  return async (abandoned) => {
    const socket = openSocket({ host, port, noDelay: true, ...(family === undefined ? {} : { family }) });
    // Errors are listened to where they are waited for; one that comes later has nobody to hear it.
    socket.on('error', () => {});
    abandoned.addEventListener('abort', () => socket.destroy(), { once: true });
    await once(socket, 'connect');
    return socket;
  };
}

/** Through a connection that stands, as `ssh -W`. */
export function dialThrough(jump: Client, jumpName: string, { host, port }: Target): Dial {
  return (abandoned) =>
    new Promise((resolve, reject) => {
      const refused = (cause: unknown): void => reject(unreachedFrom(jumpName, host, port, cause));
      try {
        jump.forwardOut('127.0.0.1', 0, host, port, (error, channel: ClientChannel | undefined) => {
          if (error !== undefined || channel === undefined) refused(error);
          else resolve(new Carrier(channel, channel, () => channel.close(), abandoned));
        });
      } catch (error) {
        refused(error);
      }
    });
}

/** ssh_config's ProxyCommand, run by the user's shell. What it says on standard error is the user's to see. */
export function dialByCommand(command: string): Dial {
  return async (abandoned) => {
    const child = spawn(process.env['SHELL'] || '/bin/sh', ['-c', `exec ${command}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.on('error', () => {});
    await once(child, 'spawn');
    return new Carrier(child.stdout, child.stdin, () => child.kill(), abandoned);
  };
}

/** Two halves as one socket, which is closed at once when it is destroyed, whatever the other side does. */
class Carrier extends Duplex {
  readonly #from: Readable;
  readonly #to: Writable;
  readonly #release: () => void;

  constructor(from: Readable, to: Writable, release: () => void, abandoned: AbortSignal) {
    super({ allowHalfOpen: false });
    this.#from = from;
    this.#to = to;
    this.#release = release;
    this.on('error', () => {});
    from.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) from.pause();
    });
    // What came before the end is still to be read.
    const ended = (): void => void (this.readableEnded || this.destroyed || this.push(null));
    from.once('end', ended);
    from.once('close', () => from.readableEnded || ended());
    for (const half of [from, to]) half.on('error', (error: Error) => this.destroy(error));
    from.pause();
    abandoned.addEventListener('abort', () => this.destroy(), { once: true });
    if (abandoned.aborted) this.destroy();
  }

  override _read(): void {
    this.#from.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#to.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#to.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#release();
    done(error);
  }
}

function unreachedFrom(jumpName: string, host: string, port: number, cause: unknown): P2cError {
  return new P2cError(`the jump host ${jumpName} does not reach ${host} port ${port}: ${printable(messageOf(cause))}`, {
    code: 'ssh.jump',
    hint: 'is the server up, does the jump host know its name, and does it allow forwarding (AllowTcpForwarding)?',
    cause,
  });
}
