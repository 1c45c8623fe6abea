/** Ports of this machine: to listen on, and to wait for. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/** @returns the port that the server listens on from now. It is the caller's to close. */
export async function listenOnFreePort(server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
  return address.port;
}

/** One that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server);
  server.close();
  await once(server, 'close');
  return port;
}

const PATIENCE_MS = 60_000;

/**
 * Waits until the process takes connections, a minute at most.
 * @param name of what it is, for what is thrown otherwise; with `log`, what it said.
 */
export async function answering(port: number, child: ChildProcess, name: string, log: () => string): Promise<void> {
  for (const started = Date.now(); Date.now() - started < PATIENCE_MS; ) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${log()}`);
    const socket = connect(port, '127.0.0.1');
    const came = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (came) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${name} does not answer: ${log()}`);
}
