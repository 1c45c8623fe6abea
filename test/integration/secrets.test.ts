/** Passwords, passphrases and keys go where they are used, and leave no trace anywhere else. */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { generateKey } from '../helpers/sshd.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

interface Watch {
  readonly samples: number;
  /** What was seen of the program that makes p2c root there. */
  readonly becoming: number;
  readonly found: readonly string[];
}

/** Looks at the arguments and the environment of every process, those of the server too, until told to end. */
async function watchProcesses(secrets: readonly string[], ended: () => boolean): Promise<Watch> {
  let samples = 0;
  let becoming = 0;
  const found = new Set<string>();
  while (!ended()) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const text = `${readProc(pid, 'cmdline')}\0${readProc(pid, 'environ')}`;
      if (/^sudo\0-S\0/.test(text)) becoming += 1;
      for (const secret of secrets) if (text.includes(secret)) found.add(`${readProc(pid, 'cmdline')}: ${secret}`);
    }
    samples += 1;
    await pause(50);
  }
  return { samples, becoming, found: [...found] };
}

function readProc(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** Files below the folders that hold one of the secrets. */
async function filesWith(secrets: readonly string[], list: string, folders: readonly string[]): Promise<string[]> {
  await writeFile(list, `${secrets.join('\n')}\n`);
  const grep = ['-rlFa', '-D', 'skip', '--exclude-dir=proc', '--exclude-dir=sys', '--exclude-dir=dev', '-f', list];
  try {
    return (await run('grep', [...grep, ...folders])).stdout.trim().split('\n');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'stdout' in error && 'stderr' in error)) throw error;
    const vanished = String(error.stderr)
      .split('\n')
      .every((line) => /^$|No such file or directory$/.test(line));
    if (error.code !== 1 && !(error.code === 2 && vanished)) throw error;
    return String(error.stdout)
      .split('\n')
      .filter((line) => line !== '');
  }
}

function migrateArgs(server: LabServer, user: string, ...more: string[]): string[] {
  const target = ['migrate', `${user}@${server.address}`, '-F', 'none', '--known-hosts', server.knownHosts];
  return [...target, '--no-stop', '--tag', 'lab:one', '--exclude', '/var/log/journal/**', ...more];
}

async function makeUser(server: LabServer, name: string, password: string): Promise<void> {
  await server.exec(`useradd -m -s /bin/bash ${name}`);
  await writeFile(join(server.rootDir, `root/${name}`), `${name}:${password}\n`, { mode: 0o600 });
  await server.exec(`chpasswd <~/${name}; rm ~/${name}`);
  await writeFile(join(server.rootDir, `etc/sudoers.d/${name}`), `${name} ALL=(ALL) ALL\n`, { mode: 0o440 });
}

test.serial('passwords from file descriptors', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return;
  const server = await labServer(t, 'secret');
  const root = await temporaryFolder(t);
  const folder = await temporaryFolder(t);
  const password = `pw-${randomBytes(12).toString('hex')}`;
  await makeUser(server, 'sara', password);
  writeFileSync(join(folder, 'password'), `${password}\n`, { mode: 0o600 });
  const args = migrateArgs(
    server,
    'sara',
    '--json',
    '--become',
    'sudo',
    '--password-fd',
    '3',
    '--become-password-fd',
    '4',
  );
  const stdio = [
    'ignore',
    'pipe',
    'pipe',
    openSync(join(folder, 'password'), 'r'),
    openSync(join(folder, 'password'), 'r'),
  ] as const;
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, SSH_AUTH_SOCK: '', P2C_ROOT: root },
    stdio: [...stdio],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  let over = false;
  const watching = watchProcesses([password], () => over);
  const [code] = await once(child, 'close');
  over = true;
  const { samples, becoming, found } = await watching;
  t.is(code, 0, said);
  t.deepEqual(found, []);
  t.true(samples > 3 && becoming > 0, `${samples} looks at the processes, ${becoming} times sudo`);
  t.false(said.includes(password));
  t.true(said.includes('"ledger"'));
  t.deepEqual(await filesWith([password], join(folder, 'list'), [root, server.rootDir]), []);
});

test.serial('a passphrase and a password that are typed', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap', 'script'])) return;
  const server = await labServer(t, 'typed');
  const root = await temporaryFolder(t);
  const folder = await temporaryFolder(t);
  const [password, passphrase] = [`pw-${randomBytes(12).toString('hex')}`, `pp-${randomBytes(12).toString('hex')}`];
  await makeUser(server, 'toni', password);
  const key = join(folder, 'key');
  await generateKey(key, 'ed25519', passphrase);
  await server.exec('install -d -m 700 -o toni ~toni/.ssh');
  await appendFile(join(server.rootDir, 'home/toni/.ssh/authorized_keys'), await readFile(`${key}.pub`));
  const keyLine = (await readFile(key, 'utf8')).split('\n')[3] ?? '';
  t.true(keyLine.length > 40);
  const secrets = [password, passphrase, keyLine];
  const args = migrateArgs(server, 'toni', '--identity', key, '-K');
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, SSH_AUTH_SOCK: '', P2C_ROOT: root, TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.teardown(() => terminal.kill('SIGKILL'));
  const answers = [
    [/Passphrase of \S+:/, passphrase],
    [/Password of toni@\S+, for sudo:/, password],
  ] as const;
  let shown = '';
  let next = 0;
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const answer = answers[next];
    if (answer === undefined || !answer[0].test(shown)) return;
    terminal.stdin.write(`${answer[1]}\r`);
    next += 1;
  });
  let over = false;
  const watching = watchProcesses(secrets, () => over);
  const [code] = await once(terminal, 'exit');
  over = true;
  const { becoming, found } = await watching;
  t.is(code, 0, shown);
  t.is(next, 2, 'each was asked for once');
  t.deepEqual(found, []);
  t.true(becoming > 0);
  for (const secret of secrets) t.false(shown.includes(secret));
  t.deepEqual(await filesWith(secrets, join(folder, 'list'), [root, server.rootDir]), []);
});
