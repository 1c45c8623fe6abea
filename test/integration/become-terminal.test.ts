/** Becoming root on a terminal of the source's: captures through it, and that nothing stays there however it ends. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/ssh/connect.ts';
import { Secret } from '../../src/ssh/secret.ts';
import type { ConnectedSession } from '../../src/ssh/session.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { cli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const PASSWORD = randomBytes(9).toString('hex');
/** Users whose way to root is a terminal only. */
const USERS = ['tess', 'tom', 'tina'] as const;
type User = (typeof USERS)[number];

const SUDOERS = `Defaults:tess requiretty
tess ALL=(root) NOPASSWD: /bin/sh
Defaults:tom requiretty, use_pty
tom ALL=(root) NOPASSWD: /bin/sh
`;

/** One after the other: what is left of one test would be another's that is under way. */
let shared: Promise<LabServer> | undefined;

test.after.always(async () => {
  await (await shared)?.[Symbol.asyncDispose]();
});

async function lab(t: ExecutionContext): Promise<LabServer | undefined> {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap', 'doas'])) return undefined;
  shared ??= startWithUsers();
  return shared;
}

async function startWithUsers(): Promise<LabServer> {
  const server = await startLabServer('terminal');
  const { rootDir } = server;
  for (const user of USERS) {
    await server.exec(
      `useradd -m -s /bin/bash ${user} && cp -r /home/joe/.ssh /home/${user}/ && chown -R ${user}: /home/${user}`,
    );
  }
  await writeFile(join(rootDir, 'root/passwords'), `tina:${PASSWORD}\n`, { mode: 0o600 });
  await server.exec('chpasswd </root/passwords; rm /root/passwords');
  await writeFile(join(rootDir, 'etc/sudoers.d/terminal'), SUDOERS, { mode: 0o440 });
  const { stdout: doas } = await promisify(execFile)('sh', ['-c', 'command -v doas']);
  await copyFile(doas.trim(), join(rootDir, 'usr/bin/doas'));
  await server.exec('chown root: /usr/bin/doas; chmod 4755 /usr/bin/doas');
  await writeFile(join(rootDir, 'etc/doas.conf'), 'permit tina as root\n', { mode: 0o400 });
  return server;
}

function connectAs(server: LabServer, user: User): Promise<ConnectedSession> {
  return connect(parseTarget(`${user}@${server.address}:${server.port}`), {
    agent: null,
    identities: [server.identity],
    knownHostsFiles: [server.knownHosts],
    become: user === 'tina' ? { method: 'doas', password: async () => new Secret(PASSWORD) } : undefined,
  });
}

/** What runs on the server for p2c, once what ends by itself has had its time. */
async function leftOn(server: LabServer): Promise<string[]> {
  for (let attempt = 0; ; attempt += 1) {
    const processes = (await server.exec('ps -eo stat,args')).split('\n');
    const left = processes.filter((line) => /p2c-[0-9a-f]{24}|\[(sudo|doas|sh)\] <defunct>|sleep 600|yes$/.test(line));
    if (left.length === 0 || attempt === 120) return left;
    await setTimeout(500);
  }
}

test.serial('what is captured through a terminal is what root captures', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const folder = await temporaryFolder(t);
  const secret = join(folder, 'password');
  await writeFile(secret, `${PASSWORD}\n`, { mode: 0o600 });
  const env = { P2C_ROOT: join(folder, 'store') };
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const capture = async (user: string, ...more: string[]): Promise<void> => {
    const target = `${user}@${server.address}`;
    const migrated = await cli(
      ['migrate', target, ...access, ...more, '--profile', 'nginx', '--tag', `${user}:s`],
      env,
    );
    // A log of the server's may not have stood still.
    t.true(migrated.code === 0 || migrated.code === 3, migrated.stderr);
    t.regex(await server.exec('curl -sI http://127.0.0.1/ || service nginx status'), /200|is running/);
  };
  await capture('root');
  for (const user of USERS) {
    const become = user === 'tina' ? ['--become', 'doas', '--become-password-command', `cat ${secret}`] : [];
    await capture(user, ...become);
    const valid = await cli(['image', 'validate', `${user}:s`], env);
    t.is(valid.code, 0, valid.stderr);
    const { stdout } = await cli(['image', 'diff', 'root:s', `${user}:s`, '--json'], env);
    const paths: { path: string }[] = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    // Logins are logged, and the server's own timers write.
    t.deepEqual(
      paths.map(({ path }) => path).filter((path) => !path.startsWith('/var/log/')),
      [],
    );
    t.deepEqual(await leftOn(server), []);
  }
});

for (const user of USERS) {
  test.serial(
    `a command that ends before it read its input ends with its own words, and leaves nothing: ${user}`,
    async (t) => {
      const server = await lab(t);
      if (server === undefined) return;
      await using session = await connectAs(server, user);
      // More than a terminal holds. One that never ends is ended by the test's own limit.
      const names = [randomBytes(1_000_000)];
      for (const script of ["echo 'tar: no' >&2; exit 2", "head -c 9; echo 'tar: no' >&2; exit 2"]) {
        const heard: Buffer[] = [];
        const stream = await session.stream({ purpose: 'die early', script, input: names }, (chunk) =>
          heard.push(chunk),
        );
        for await (const _ of stream.stdout);
        t.is((await stream.done).code, 2);
        t.is(Buffer.concat(heard).toString(), 'tar: no\n');
      }
      t.deepEqual(await leftOn(server), []);
    },
  );

  test.serial(`a command that is ended leaves nothing, whatever it was doing: ${user}`, async (t) => {
    const server = await lab(t);
    if (server === undefined) return;
    await using session = await connectAs(server, user);
    const input = [randomBytes(4_000_000)];
    // At its start, while it takes its input, while it writes, while it does neither.
    for (const after of [0, 5, 20, 50, 100, 200, 400, 800, 1600]) {
      for (const script of ['cat; sleep 600', 'sleep 600', 'yes']) {
        const stream = await session.stream({ purpose: 'go on and on', script, input });
        const reading = (async () => {
          for await (const _ of stream.stdout);
        })().catch(() => {});
        await setTimeout(after);
        stream.kill();
        await reading;
      }
    }
    await session[Symbol.asyncDispose]();
    t.deepEqual(await leftOn(server), []);
  });
}
