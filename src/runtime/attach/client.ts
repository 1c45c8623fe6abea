/** The end of whoever is attached to a container. */

import type { Socket } from 'node:net';
import { P2cError } from '../../errors.ts';
import { ONCE } from '../../once.ts';
import type { LogStream } from '../log.ts';
import { decodeFrames, encodeFrame, encodeRecord } from './frames.ts';
import { type Ended, endedSchema, type Hello, type TerminalSize } from './records.ts';
import { sent } from './sent.ts';
import { connectIn } from './socket.ts';

/** What comes from the container. */
export type FromContainer =
  | { readonly stream: LogStream; readonly chunk: Buffer }
  /** The last. */
  | { readonly ended: Ended };

export class AttachClient implements Disposable {
  readonly #socket: Socket;
  readonly #frames: ReturnType<typeof decodeFrames>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#frames = decodeFrames(socket);
    socket.on('error', () => {});
  }

  /**
   * Attaches; from then on no output is missed.
   * @param folder the container's.
   * @returns undefined where nobody looks after it: it has ended, or its monitor was killed.
   */
  static async connect(folder: string, hello: Hello): Promise<AttachClient | undefined> {
    const socket = await connectIn(folder);
    if (socket === undefined) return undefined;
    const client = new AttachClient(socket);
    socket.write(encodeRecord('hello', hello));
    const { value, done } = await client.#frames.next();
    if (done !== true && value.kind === 'hello') return client;
    socket.destroy();
    return undefined;
  }

  /** Ends with `ended`, or without it where the connection was closed. @throws P2cError `attach.lost`. */
  async *events(): AsyncGenerator<FromContainer> {
    for await (const { kind, content } of this.#frames) {
      if (kind === 'stdout' || kind === 'stderr') yield { stream: kind, chunk: content };
      if (kind === 'ended') {
        yield { ended: endedSchema.parse(JSON.parse(content.toString('utf8')), ONCE) };
        return;
      }
    }
    throw new P2cError('the monitor of the container went away', {
      code: 'attach.lost',
      hint: "'p2c ps -a' shows what became of the container",
    });
  }

  async type(bytes: Buffer): Promise<void> {
    await sent(this.#socket, encodeFrame('input', bytes));
  }

  endTyping(): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame('input-end'));
  }

  resize(size: TerminalSize): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeRecord('resize', size));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
