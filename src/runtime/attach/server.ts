/** The monitor's end: hands a container's output to all who are attached, and what they type to the container. */

import type { Server, Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { ONCE } from '../../once.ts';
import type { LogStream } from '../log.ts';
import { decodeFrames, encodeFrame, encodeRecord, type Frame } from './frames.ts';
import { type Ended, type Hello, helloSchema, type TerminalSize, terminalSizeSchema } from './records.ts';
import { sent } from './sent.ts';
import { listenIn } from './socket.ts';

/** What a container takes while it runs. */
export interface ContainerInput {
  /** Undefined where it reads nothing. */
  readonly input: Writable | undefined;
  /** Whether the end of what is typed is the end of its input: a terminal stays open for the next who attaches. */
  readonly endsWithTyping: boolean;
  resize(size: TerminalSize): Promise<void>;
}

interface Client {
  readonly socket: Socket;
  readonly hello: Hello;
}

export class AttachServer implements AsyncDisposable {
  readonly #clients = new Set<Client>();
  /** Also of those who have not said yet what they want. */
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #first: Promise<void>;
  #begun: () => void = () => {};
  #container: ContainerInput | undefined;
  #size: TerminalSize | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.#first = new Promise((resolve) => {
      this.#begun = resolve;
    });
  }

  /** @param folder the container's. */
  static async open(folder: string): Promise<AttachServer> {
    const server = await listenIn(folder);
    const attach = new AttachServer(server);
    server.on('connection', (socket) => {
      attach.#sockets.add(socket);
      socket.on('close', () => attach.#sockets.delete(socket));
      // Whoever goes away in the middle is attached no more, and that is all.
      socket.on('error', () => socket.destroy());
      attach.#serve(socket).catch(() => socket.destroy());
    });
    return attach;
  }

  /** Of the terminal of whoever told it last. */
  get size(): TerminalSize | undefined {
    return this.#size;
  }

  /** From now on, what is typed goes there. */
  serve(container: ContainerInput): void {
    this.#container = container;
    container.input?.on('error', () => {});
    this.#begun();
  }

  /** Resolves when all who are attached may be sent more: whoever reads slowly slows the container, as a pipe does. */
  async output(stream: LogStream, chunk: Buffer): Promise<void> {
    const readers = [...this.#clients].filter(({ hello }) => hello.output);
    if (readers.length === 0) return;
    const frame = encodeFrame(stream, chunk);
    await Promise.all(readers.map(({ socket }) => sent(socket, frame)));
  }

  /** Tells all how it ended. Resolves when they know, or are gone. */
  async ended(ended: Ended): Promise<void> {
    const frame = encodeRecord('ended', ended);
    const told = [...this.#clients].map(
      ({ socket }) => new Promise<void>((resolve) => socket.once('close', () => resolve()).end(frame)),
    );
    await Promise.all(told);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(socket: Socket): Promise<void> {
    let client: Client | undefined;
    try {
      for await (const frame of decodeFrames(socket)) {
        if (frame.kind === 'hello') {
          client = { socket, hello: helloSchema.parse(JSON.parse(frame.content.toString('utf8')), ONCE) };
          this.#clients.add(client);
          // The client goes on when it knows that nothing will be missed.
          socket.write(encodeFrame('hello'));
        } else await this.#take(frame);
      }
    } finally {
      if (client !== undefined) this.#left(client);
    }
  }

  async #take({ kind, content }: Frame): Promise<void> {
    if (kind === 'input' || kind === 'input-end') {
      // What is typed before it runs waits for it.
      await this.#first;
      const input = this.#container?.input;
      if (kind === 'input' && input?.writable === true) await sent(input, content);
      if (kind === 'input-end') this.#endInput();
    }
    if (kind === 'resize') {
      this.#size = terminalSizeSchema.parse(JSON.parse(content.toString('utf8')));
      await this.#container?.resize(this.#size).catch(() => {});
    }
  }

  /** As podman: with the last who could type, the input ends. */
  #left(client: Client): void {
    this.#clients.delete(client);
    if (client.hello.input && ![...this.#clients].some(({ hello }) => hello.input)) this.#endInput();
  }

  #endInput(): void {
    if (this.#container?.endsWithTyping === true) this.#container.input?.end();
  }
}
