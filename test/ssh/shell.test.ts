/** Accounts whose shell is not what one hopes for; and who p2c is there. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { requirePrivilege } from '../../src/ssh/privilege.ts';
import { Secret } from '../../src/ssh/secret.ts';
import type { Session } from '../../src/ssh/session.ts';
import { failure } from '../helpers/failure.ts';
import { requirePrograms } from '../helpers/require.ts';
import { startServer } from '../helpers/ssh-server.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

for (const [name, script, words] of [
  ['nologin', 'echo "This account is currently not available."; exit 1', /runs no commands.*not available/],
  ['false', 'exit 1', /runs no commands/],
  ['a banner without end', 'yes | head -c 70000; shift; sh -c "$1"', /prints text with each command.*y/],
  ['a banner after', 'shift; sh -c "$1"; echo; echo "[31m Bye"', /prints text with each command/],
  ['a menu', 'echo "1) status 2) quit"; cat >/dev/null', /runs no commands.*status/],
  ['a forced command', 'exec echo forced', /runs no commands.*forced/],
] as const) {
  test(`a shell that is ${name}`, async (t) => {
    const shell = join(await temporaryFolder(t), 'shell');
    await writeFile(shell, `#!/bin/sh\n${script}\n`);
    await chmod(shell, 0o755);
    const server = await startServer(t, { shell });
    const error = await failure(server.connect());
    t.is(error.code, 'ssh.shell');
    t.regex(error.message, words);
    t.false(error.message.includes('\x1b'));
  });
}

test('text before commands run is passed over, and told of once', async (t) => {
  const folder = await temporaryFolder(t);
  const shell = join(folder, 'shell');
  await writeFile(shell, `#!/bin/sh\necho hello; printf 'p2c:root:'; echo oops >&2; shift; exec sh -c "$1"\n`);
  await chmod(shell, 0o755);
  const server = await startServer(t, { shell });
  const notices: string[] = [];
  const session = await server.connect({ onNotice: (line) => notices.push(line) });
  t.is(notices.length, 1);
  t.regex(notices[0] ?? '', /prints text before commands run; it is passed over: 'hello/);
  const data = Buffer.concat([Buffer.from('hello\n'), randomBytes(300_000)]);
  const script = 'cat; echo own >&2; exit 3';
  const { code, stdout, stderr } = await session.run({ purpose: 'pass on', script, input: [data], privileged: false });
  t.deepEqual({ code, stderr }, { code: 3, stderr: 'own\n' });
  t.deepEqual(stdout, data);
  const silent = await session.run({ purpose: 'say nothing', script: ':', privileged: false });
  t.deepEqual({ code: silent.code, out: silent.stdout.length, err: silent.stderr }, { code: 0, out: 0, err: '' });
  await writeFile(shell, "#!/bin/sh\necho 'Choose:'\n");
  const error = await failure(session.run({ purpose: 'look', script: ':', privileged: false }));
  t.is(error.code, 'ssh.shell');
  t.regex(error.message, /did not run 'look': 'Choose:'/);
});

for (const shell of ['bash', 'dash', 'csh', 'tcsh', 'fish']) {
  test(`a shell that is ${shell}`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const server = await startServer(t, { shell });
    const session = await server.connect();
    const words = "it's $HOME `id` !! \\ *";
    const { stdout } = await session.run({
      purpose: 'speak',
      script: `cat <<'END'\n${words}\nEND`,
      privileged: false,
    });
    t.is(stdout.toString(), `${words}\n`);
  });
}

test('a restricted bash', async (t) => {
  if (!requirePrograms(t, ['rbash'])) return;
  const server = await startServer(t, { shell: 'rbash' });
  t.is((await failure(server.connect())).code, 'ssh.shell');
});

/** A server whose programs of some names are the test's own. */
async function serverWithPrograms(t: ExecutionContext) {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'bin'));
  const program = async (name: string, script: string): Promise<void> => {
    await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'bin', name), 0o755);
  };
  await program('shell', `PATH=${folder}/bin:$PATH exec sh "$@"`);
  return { folder, program, server: await startServer(t, { shell: join(folder, 'bin', 'shell') }) };
}

test('who p2c is: root, by sudo, or neither', async (t) => {
  const { program, server } = await serverWithPrograms(t);
  const who = async (): Promise<Session['privilege']> => (await server.connect()).privilege;

  await program('id', 'echo 0');
  t.is(await who(), 'root');
  await program('id', `echo \${AS:-1000}`);
  await program('sudo', 'echo "sudo: a password is required" >&2; exit 1');
  t.is(await who(), 'none');
  await program('sudo', 'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1');
  t.is(await who(), 'none');
  const session = await server.connect();
  t.throws(() => requirePrivilege(session), { code: 'source.privilege', message: /joe.*not root.*sudo/ });

  await program('sudo', '[ "$1" = -n ] || exit 9; shift; AS=0 exec "$@"');
  t.is(await who(), 'sudo');
  const able = await server.connect();
  t.notThrows(() => requirePrivilege(able));
  t.is((await able.run({ purpose: 'look', script: 'id -u' })).stdout.toString(), '0\n');
  t.is((await able.run({ purpose: 'look', script: 'id -u', privileged: false })).stdout.toString(), '1000\n');
  t.is((await able.run({ purpose: 'exit', script: "exit '7'" })).code, 7);
});

test('a sudo that warns before each command is one that works, and its warnings are not what the command said', async (t) => {
  const { program, server } = await serverWithPrograms(t);
  await program('id', `echo \${AS:-1000}`);
  const warns = 'echo "sudo: unable to resolve host old: Name or service not known" >&2';
  await program('sudo', `${warns}; shift; AS=0 exec "$@"`);
  const session = await server.connect();
  t.is(session.privilege, 'sudo');
  const { stdout, stderr, code } = await session.run({ purpose: 'look', script: 'id -u; echo own >&2; exit 3' });
  t.deepEqual({ out: stdout.toString(), stderr, code }, { out: '0\n', stderr: 'own\n', code: 3 });
  await program('sudo', `${warns}; echo "sudo: a password is required" >&2; exit 1`);
  const error = await failure(session.run({ purpose: 'look', script: 'id -u' }));
  t.is(error.code, 'ssh.become');
  t.regex(error.message, /a password is required/);
  t.is((await server.connect()).privilege, 'none');
  await program('sudo', 'echo 0 >&2; exit 1');
  t.is((await server.connect()).privilege, 'none');
});

test('a password for sudo is tried once, and nothing else in its place', async (t) => {
  const { folder, program, server } = await serverWithPrograms(t);
  await program('id', `echo \${AS:-1000}`);
  const tries = join(folder, 'tries');
  await program(
    'sudo',
    `[ "$1" = -S ] || exit 1
for try in 1 2 3; do
  IFS= read -r word || break
  echo "$word" >>${tries}
  if [ "$word" = right ]; then shift 3; AS=0 exec "$@"; fi
done
echo 'sudo: 3 incorrect password attempts' >&2; exit 1`,
  );
  const connect = (word: string) =>
    server.connect({ become: { method: 'sudo', password: async () => new Secret(word) } });
  t.is((await failure(connect('wrong'))).code, 'ssh.become');
  t.is(await readFile(tries, 'utf8'), 'wrong\n');
  const session = await connect('right');
  t.is(session.privilege, 'sudo');
  const { stdout } = await session.run({ purpose: 'pass on', script: 'cat; id -u', input: [Buffer.from('data\n')] });
  t.is(stdout.toString(), 'data\n0\n');
});
