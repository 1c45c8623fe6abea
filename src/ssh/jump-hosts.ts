/** The connections that carry the one to the source, in the order in which they were made. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { Opened } from './handshake.ts';
import type { Target } from './target.ts';

interface JumpHost {
  readonly name: string;
  readonly client: Client;
  readonly socket: Duplex;
}

export class JumpHosts implements AsyncDisposable {
  readonly #hosts: JumpHost[] = [];

  /** The one that the next connection goes through. */
  get last(): JumpHost | undefined {
    return this.#hosts.at(-1);
  }

  get names(): readonly string[] {
    return this.#hosts.map(({ name }) => name);
  }

  add({ name }: Target, { client, socket }: Opened): void {
    // ssh2 waits for the other side to hang up; what goes through it learns of its end by its own socket's.
    client.on('error', () => socket.destroy());
    this.#hosts.push({ name, client, socket });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, socket } of this.#hosts.splice(0).reverse()) {
      if (socket.destroyed) continue;
      const closed = once(socket, 'close').catch(() => {});
      client.end();
      socket.destroy();
      await closed;
    }
  }
}
