/** A web server that a webhook is posted to, and that answers as it is told, or never. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';
import { listenOnFreePort } from './port.ts';

interface Posted {
  readonly method: string | undefined;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface WebServer {
  /** With a secret in it. */
  readonly url: URL;
  readonly posted: readonly Posted[];
}

/** @param answer called once a request is there whole. */
export async function startWebServer(
  t: ExecutionContext,
  answer: (response: ServerResponse) => void,
): Promise<WebServer> {
  const posted: Posted[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { 'content-type': type, authorization } = request.headers;
      posted.push({ method: request.method, type, authorization, body });
      answer(response);
    });
  });
  const port = await listenOnFreePort(server);
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: new URL(`http://127.0.0.1:${port}/hook?token=geheim`), posted };
}
