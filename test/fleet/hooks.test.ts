import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { callHooks, type HookEnd, type Hooks } from '../../src/fleet/hooks.ts';
import { listenOnFreePort } from '../helpers/port.ts';

const CALL = { run: '20261121-220000-abcd', host: 'web1' } as const;

async function ended(hooks: Hooks, hook: 'pre' | 'post' | 'fail', details: object = {}): Promise<HookEnd[]> {
  const ends: HookEnd[] = [];
  await callHooks(hooks, { hook, ...CALL, ...details }, (end) => ends.push(end));
  return ends;
}

test('a command is given what happened as JSON, and names in its environment', async (t) => {
  const hooks = { commands: { post: `cat; echo; echo "$P2C_HOOK $P2C_RUN $P2C_HOST"; exit 3` } };
  const [end] = await ended(hooks, 'post', { result: { image: "it's" } });
  const [json = '', names] = end?.said.split('\n') ?? [];
  t.deepEqual(JSON.parse(json), { hook: 'post', ...CALL, result: { image: "it's" } });
  t.is(names, `post ${CALL.run} web1`);
  t.like(end, { event: 'hook-ended', host: 'web1', hook: 'post', exitCode: 3 });
  t.deepEqual(await ended(hooks, 'fail'), [], 'the other hooks are not called');
});

test('a pre that fails says so, with what it said; one that reads nothing and says much does no harm', async (t) => {
  const failing = { commands: { pre: 'echo the load balancer is not drained >&2; exit 1' } };
  const error = await t.throwsAsync(ended(failing, 'pre'), { code: 'hook.failed' });
  t.regex(String(error.cause), /not drained/);
  const talkative = { commands: { pre: 'exec <&-; head -c 3000000 /dev/zero | tr "\\0" x; echo; echo end' } };
  const [end] = await ended(talkative, 'pre', { padding: 'y'.repeat(2_000_000) });
  t.is(end?.exitCode, 0);
  t.true((end?.said.length ?? 0) <= 2000);
  t.regex(end?.said ?? '', /end\n$/);
});

interface Posted {
  readonly method: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** A web server that answers with this status. */
async function webServer(t: ExecutionContext, status: number): Promise<{ url: URL; posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      posted.push({ method: request.method, type: request.headers['content-type'], body });
      response.writeHead(status, { location: '/elsewhere' }).end('thanks');
    });
  });
  const port = await listenOnFreePort(server);
  t.teardown(() => server.close());
  return { url: new URL(`http://127.0.0.1:${port}/hook?token=geheim`), posted };
}

test('a webhook is posted the same JSON, and its answer is told', async (t) => {
  const { url, posted } = await webServer(t, 200);
  const [end] = await ended({ commands: {}, webhook: url }, 'fail', { error: { code: 'ssh.auth' } });
  t.like(end, { event: 'hook-ended', hook: 'webhook', host: 'web1', exitCode: 0 });
  t.like(posted[0], { method: 'POST', type: 'application/json' });
  t.deepEqual(JSON.parse(posted[0]?.body ?? ''), { hook: 'fail', ...CALL, error: { code: 'ssh.auth' } });
  const broken = await webServer(t, 500);
  t.like((await ended({ commands: {}, webhook: broken.url }, 'pre'))[0], { exitCode: 500 });
});

test('a webhook that is not there, or speaks no TLS, disturbs nothing; its secret is told nobody', async (t) => {
  const server = createTcpServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('no TLS here\n'),
  );
  const port = await listenOnFreePort(server);
  const [plain] = await ended({ commands: {}, webhook: new URL(`https://127.0.0.1:${port}/?token=geheim`) }, 'pre');
  await new Promise((resolve) => server.close(resolve));
  const [gone] = await ended({ commands: {}, webhook: new URL(`http://127.0.0.1:${port}/?token=geheim`) }, 'pre');
  t.like(plain, { exitCode: null });
  t.like(gone, { exitCode: null, said: 'not reached ECONNREFUSED' });
  t.notRegex(JSON.stringify([plain, gone]), /geheim/);
});
