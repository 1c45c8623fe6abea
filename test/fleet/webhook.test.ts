import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { callHooks, type HookEnd, type HookName } from '../../src/fleet/hooks.ts';
import { Webhook } from '../../src/fleet/webhook.ts';
import { listenOnFreePort } from '../helpers/port.ts';
import { startWebServer } from '../helpers/web-server.ts';

const CALL = { run: '20261121-220000-abcd', host: 'web1' } as const;
/** As long as a silent server is waited for. */
const PATIENCE_MS = 1500;
const NO_ANSWER = { event: 'hook-ended', hook: 'webhook', exitCode: null, said: 'no answer within 1.5 s' } as const;

async function ended(url: URL, hook: HookName, details: object = {}, patienceMs?: number): Promise<HookEnd[]> {
  const ends: HookEnd[] = [];
  await using webhook = new Webhook(url, (end) => ends.push(end), patienceMs);
  await callHooks({ commands: {}, webhook }, { hook, ...CALL, ...details }, (end) => ends.push(end));
  return ends;
}

test('a webhook is posted the same JSON, and its answer is told', async (t) => {
  const { url, posted } = await startWebServer(t, (response) => response.end('thanks'));
  const [end] = await ended(url, 'fail', { error: { code: 'ssh.auth' } });
  t.like(end, { event: 'hook-ended', hook: 'webhook', host: 'web1', exitCode: 0 });
  t.like(posted[0], { method: 'POST', type: 'application/json' });
  t.deepEqual(JSON.parse(posted[0]?.body ?? ''), { hook: 'fail', ...CALL, error: { code: 'ssh.auth' } });
  const broken = await startWebServer(t, (response) => response.writeHead(500).end());
  t.like((await ended(broken.url, 'pre'))[0], { exitCode: 500, said: 'Internal Server Error' });
});

test('a webhook that is not there, or speaks no TLS, disturbs nothing; its secret is told nobody', async (t) => {
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('no TLS here\n'),
  );
  const port = await listenOnFreePort(server);
  const [plain] = await ended(new URL(`https://127.0.0.1:${port}/?token=geheim`), 'pre');
  await new Promise((resolve) => server.close(resolve));
  const [gone] = await ended(new URL(`http://127.0.0.1:${port}/?token=geheim`), 'pre');
  t.like(plain, { exitCode: null });
  t.like(gone, { exitCode: null, said: 'not reached ECONNREFUSED' });
  t.notRegex(JSON.stringify([plain, gone]), /geheim/);
});

test('one that takes what it is sent and never answers is waited for so long, and that is told', async (t) => {
  const { url, posted } = await startWebServer(t, () => {});
  const ends = await ended(url, 'post', {}, PATIENCE_MS);
  t.is(ends.length, 1);
  t.like(ends[0], { ...NO_ANSWER, host: 'web1' });
  t.true((ends[0]?.milliseconds ?? 0) >= PATIENCE_MS - 1);
  t.is(posted.length, 1);

  const halting = await startWebServer(t, (response) => response.socket?.write('HTTP/1.1 200 OK\r\nx: '));
  t.like((await ended(halting.url, 'post', {}, PATIENCE_MS))[0], NO_ANSWER);
  const endless = await startWebServer(t, (response) => response.writeHead(200).write('an answer without an end'));
  t.like((await ended(endless.url, 'post'))[0], { exitCode: 0 });
});

test('one that was silent is waited for at the end alone, until it answers again', async (t) => {
  let silent = true;
  const { url, posted } = await startWebServer(t, (response) => {
    if (!silent) response.end();
  });
  const ends: HookEnd[] = [];
  const hosts = (): (string | undefined)[] => ends.map(({ host }) => host);
  const webhook = new Webhook(url, (end) => ends.push(end), PATIENCE_MS);
  const tell = (host: string): Promise<void> => webhook.tell({ ...CALL, host, hook: 'post' });
  await tell('a');
  t.deepEqual(hosts(), ['a']);
  for (const host of ['b', 'c']) await tell(host);
  t.deepEqual(hosts(), ['a'], 'nobody waited for these');
  await webhook[Symbol.asyncDispose]();
  t.deepEqual(hosts().sort(), ['a', 'b', 'c']);
  t.is(posted.length, 3, 'it was told of all');

  silent = false;
  while (!ends.some(({ exitCode }) => exitCode === 0)) {
    await tell('d');
    await pause(20);
  }
  await tell('e');
  t.true(hosts().includes('e'));
});

test('a user and a password in the address go into a header, and are told nobody', async (t) => {
  const { url, posted } = await startWebServer(t, (response) => response.end());
  t.like((await ended(new URL(String(url).replace('//', '//ann:p%40ss%@')), 'post'))[0], { exitCode: 0 });
  const [, login = ''] = /^Basic (.*)$/.exec(posted[0]?.authorization ?? '') ?? [];
  t.is(Buffer.from(login, 'base64').toString(), 'ann:p%40ss%', 'what is no code stands for itself');
  await ended(new URL(String(url).replace('//', '//ann:p%40ss@')), 'post');
  t.is(posted[1]?.authorization, `Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
  await ended(url, 'post');
  t.is(posted[2]?.authorization, undefined);
  const [gone] = await ended(new URL('http://ann:geheim@127.0.0.1:1/'), 'post');
  t.like(gone, { exitCode: null });
  t.notRegex(JSON.stringify(gone), /geheim/);
});

test('a redirect is no answer: what it leads to would be told nothing', async (t) => {
  const { url, posted } = await startWebServer(t, (response) => response.writeHead(302, { location: '/there' }).end());
  const [end] = await ended(url, 'post');
  t.like(end, { exitCode: 302, said: 'Found (no redirect is followed)' });
  const methods = posted.map(({ method }) => method);
  t.deepEqual(methods, ['POST']);
});
