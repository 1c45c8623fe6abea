/** A TCP link between a client and a server of the test, which can be cut, or left standing without passing a byte. */
import { connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { listenOnFreePort } from './port.ts';

export interface Link {
  readonly port: number;
  /** Nothing passes any more, and nobody is told: what a dead router does. */
  freeze(): void;
  /** Both ends get a reset. */
  cut(): void;
  /** Bytes that came from the server so far. */
  received(): number;
}

/** @param port of the server, which may be another for each connection. */
export async function startLink(t: ExecutionContext, port: number | (() => number)): Promise<Link> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let received = 0;
  const server = createServer((client) => {
    const upstream = connect(typeof port === 'number' ? port : port(), '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => frozen || to.destroy());
      from.on('data', (chunk: Buffer) => {
        if (frozen) return;
        if (from === upstream) received += chunk.length;
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => frozen || from.resume());
    }
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: await listenOnFreePort(server),
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    received: () => received,
  };
}
