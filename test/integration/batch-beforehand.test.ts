/** What a batch does at its hosts before their turns, where it asks how much they hold: over servers of the test's own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ServerChannel } from 'ssh2';
import { CLI, cli } from '../helpers/cli.ts';
import { requirePrograms } from '../helpers/require.ts';
import { type ServerBehaviour, startServer, type TestServer } from '../helpers/ssh-server.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { onTerminal } from '../helpers/terminal.ts';

/** No command of p2c runs there: a test's server would run it on this machine. */
const IDLE: ServerBehaviour = {
  exec: (_command, accept) => {
    answer(accept(), '');
    return true;
  },
};

function answer(channel: ServerChannel, text: string): void {
  channel.write(text);
  channel.exit(1);
  channel.end();
}

interface Fleet {
  readonly servers: readonly TestServer[];
  readonly folder: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  run(...words: readonly string[]): ReturnType<typeof cli>;
}

/** Two hosts, `a` and `b`. */
async function fleet(t: ExecutionContext, behaviour: ServerBehaviour): Promise<Fleet> {
  const folder = await temporaryFolder(t);
  const servers = [await startServer(t, behaviour), await startServer(t, behaviour)];
  const file = join(folder, 'fleet.yaml');
  const hosts = servers.map(({ port }, at) => `  ${'ab'[at]}: { address: 127.0.0.1, port: ${port} }\n`);
  await writeFile(file, `defaults: { user: joe, tag: 'x/{{host}}:1' }\nhosts:\n${hosts.join('')}`);
  const env = { P2C_ROOT: join(folder, 'store') };
  const run = (...words: readonly string[]): ReturnType<typeof cli> =>
    cli(['migrate', '-i', file, '--retries', '0', '--attempts', '1', ...words], env);
  return { servers, folder, file, env, run };
}

test('a host key that is taken is told with its fingerprint, in the journal too, and once', async (t) => {
  const { folder, run } = await fleet(t, IDLE);
  const taken = (name: string): RegExp => new RegExp(`the host key of .*was not known; recorded in ${folder}/${name}`);
  const { code, stderr } = await run('--accept-new-host-key', '--known-hosts', join(folder, 'plain'));
  t.is(code, 1, stderr);
  const lines = stderr.split('\n').filter((line) => taken('plain').test(line));
  t.is(lines.length, 2, stderr);
  for (const host of ['a', 'b']) {
    t.true(lines.some((line) => new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${host}: .*: ssh-ed25519 SHA256:`).test(line)));
  }
  const { stdout } = await run('--json', '--accept-new-host-key', '--known-hosts', join(folder, 'events'));
  const events = stdout.split('\n').filter((line) => line.includes('"event":"note"') && taken('events').test(line));
  t.deepEqual(events.map((line) => JSON.parse(line).host).sort(), ['a', 'b'], stdout);
});

test('a wrong password for the login is tried once at each host, and is its failure', async (t) => {
  let tried = 0;
  const { servers, run } = await fleet(t, {
    ...IDLE,
    authenticate: (context) => {
      if (context.method === 'password') tried += 1;
      context.reject(['password']);
    },
  });
  const known = servers.flatMap(({ knownHosts }) => ['--known-hosts', knownHosts]);
  const { code, stderr } = await run('--password-command', 'echo wrong', ...known);
  t.is(code, 1);
  for (const host of ['a', 'b'])
    t.regex(stderr, new RegExp(`^p2c: ${host}: .*the password that was given was refused`, 'm'));
  t.is(tried, 2, stderr);
});

test('a wrong password for becoming root is tried once at each host, and is its failure', async (t) => {
  let tried = 0;
  const { servers, run } = await fleet(t, {
    exec: (command, accept) => {
      const elevated = command.includes('sudo -S');
      if (elevated) tried += 1;
      answer(accept(), elevated ? '' : 'p2c:asks:');
      return true;
    },
  });
  const known = servers.flatMap(({ knownHosts }) => ['--known-hosts', knownHosts]);
  const { code, stderr } = await run('--become-password-command', 'echo wrong', ...known);
  t.is(code, 1);
  for (const host of ['a', 'b']) t.regex(stderr, new RegExp(`^p2c: ${host}: p2c did not become root on`, 'm'));
  t.is(tried, 2, stderr);
});

test('-K asks once, before anything begins, for the password of all hosts', async (t) => {
  if (!requirePrograms(t, ['script'])) return;
  const brought: string[] = [];
  const { servers, file, env } = await fleet(t, {
    exec: (command, accept) => {
      const channel = accept();
      if (!command.includes('sudo -S')) answer(channel, 'p2c:asks:');
      else {
        channel.once('data', (data: Buffer) => {
          brought.push(data.toString());
          answer(channel, '');
        });
      }
      return true;
    },
  });
  const known = servers.flatMap(({ knownHosts }) => ['--known-hosts', knownHosts]);
  const words = [process.execPath, '--', CLI, 'migrate', '-F', 'none', '-i', file, '-K', '--retries', '0', ...known];
  const { shown, code } = await onTerminal(t, words, [[/Password[^\n]*:/, 'typed once\r']], {
    ...env,
    SSH_AUTH_SOCK: '',
  });
  t.is(code, 1, shown);
  t.deepEqual(brought, ['typed once\n', 'typed once\n'], shown);
  t.regex(shown, /^[^\n]*Password for becoming root, on all hosts:/, 'it is asked before all else');
  t.notRegex(shown, /Password of joe/);
});
