/** Health checks by each of the programs that a server may have to ask with, against a real HTTP server. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocket, type Server } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { askHealth, type HealthCheck, nameOfHealth } from '../../src/profiles/health.ts';
import { localSession } from '../helpers/local-session.ts';
import { listenOnFreePort } from '../helpers/port.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function listening(t: ExecutionContext, server: Server): Promise<number> {
  t.teardown(() => server.close());
  return listenOnFreePort(server);
}

/** Answers 200 at `/`, 503 elsewhere. */
function web(t: ExecutionContext): Promise<number> {
  return listening(
    t,
    createServer((request, response) => {
      response.statusCode = request.url === '/' ? 200 : 503;
      response.end('x');
    }),
  );
}

/** A PATH that has these programs beside the usual small ones, and no others. */
async function pathWith(t: ExecutionContext, programs: readonly string[]): Promise<string> {
  const folder = join(await temporaryFolder(t), 'bin');
  mkdirSync(folder);
  const small = ['sh', 'grep', 'readlink', 'head', 'cat', 'ls', 'tr', 'sed'];
  for (const program of [...small, ...programs]) {
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(),
      join(folder, program),
    );
  }
  return folder;
}

const check = (health: { tcp: number } | { http: string } | { command: string }): HealthCheck => ({
  ...health,
  timeout: 20_000,
});

for (const program of ['curl', 'wget', 'bash', 'perl']) {
  test(`http is asked with ${program}`, async (t) => {
    if (!requirePrograms(t, [program])) return;
    const port = await web(t);
    const session = localSession({ only: await pathWith(t, [program]) });
    const ask = (path: string) => askHealth(session, 'web', check({ http: `http://127.0.0.1:${port}${path}` }));
    t.deepEqual(await ask('/'), { health: 'healthy', says: '' });
    const sick = await ask('/away');
    t.is(sick.health, 'sick');
    t.is((await askHealth(session, 'web', check({ http: 'http://127.0.0.1:1/' }))).health, 'sick');
  });
}

test('without any of them, health is unknown and not sick', async (t) => {
  const session = localSession({ only: await pathWith(t, []) });
  const answer = await askHealth(session, 'web', check({ http: 'http://127.0.0.1:1/' }));
  t.is(answer.health, 'unknown');
  t.regex(answer.says, /no curl, wget, bash or perl/);
  const secure = await askHealth(session, 'web', check({ http: 'https://127.0.0.1:1/' }));
  t.regex(secure.says, /no curl or wget/);
});

test('tcp: somebody listens and takes connections', async (t) => {
  const port = await listening(
    t,
    createSocket((socket) => socket.end()),
  );
  t.is((await askHealth(localSession(), 'x', check({ tcp: port }))).health, 'healthy');
  const closed = createSocket();
  const free = await listening(t, closed);
  await new Promise((resolve) => closed.close(resolve));
  const answer = await askHealth(localSession(), 'x', check({ tcp: free }));
  t.deepEqual(answer, { health: 'sick', says: `nobody listens on port ${free}` });
});

test('a command is healthy by its exit code; its last line is told, harmless', async (t) => {
  const session = localSession();
  t.is((await askHealth(session, 'x', check({ command: 'true' }))).health, 'healthy');
  t.deepEqual(await askHealth(session, 'x', check({ command: "printf 'first\\nlast \\033[2J\\n'; exit 4" })), {
    health: 'sick',
    says: 'last \\x1b[2J',
  });
});

test('a link that is gone leaves health unknown', async (t) => {
  const session = localSession();
  session.cut();
  t.is((await askHealth(session, 'x', check({ tcp: 1 }))).health, 'unknown');
});

test('a check has a name', (t) => {
  t.is(nameOfHealth(check({ tcp: 80 })), 'tcp 80');
  t.is(nameOfHealth(check({ http: 'http://localhost/x' })), 'http http://localhost/x');
  t.is(nameOfHealth(check({ command: 'pg_isready' })), 'command pg_isready');
});
