/** Something between a client and its servers: it leads where it is told, and can be cut. */
import { connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { listenOnFreePort } from './port.ts';

export interface Relay {
  readonly port: number;
  /** Ends all connections that there are. */
  cut(): void;
}

/** @param next the port that the next connection leads to. */
export async function startRelay(t: ExecutionContext, next: () => number): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(next(), '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  t.teardown(() => {
    server.close();
    cut();
  });
  return { port: await listenOnFreePort(server), cut };
}
