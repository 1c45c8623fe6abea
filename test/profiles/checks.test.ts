import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { probe } from '../../src/profiles/application.ts';
import { type Atom, CHECK_FUNCTIONS, probeCommand, upCondition } from '../../src/profiles/checks.ts';
import { serviceScript } from '../../src/profiles/service.ts';
import { eventually, fakeApplication, playground, shellFolder } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';
import { listenOnFreePort } from '../helpers/port.ts';
import { requirePrograms } from '../helpers/require.ts';

const process_ = (name: string, argument?: string): Atom => ({ kind: 'process', process: { name, argument } });

for (const shell of ['dash', 'bash', 'busybox']) {
  test(`${shell}: processes by name and argument, ports by owner, commands by exit code`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = fakeApplication(ground);
    const tcp = createServer();
    const tcpPort = await listenOnFreePort(tcp);
    const udp = createSocket('udp6').bind(0);
    await once(udp, 'listening');
    t.teardown(() => {
      tcp.close();
      udp.close();
    });
    const port = (number: number, protocol: 'tcp' | 'udp', ...owners: string[]): Atom => ({
      kind: 'port',
      port: { port: number, protocol },
      owners: owners.map((name) => ({ name })),
    });
    const udpPort = udp.address().port;
    const me = readFileSync('/proc/self/comm', 'utf8').trim();
    const asked: [atom: Atom, holds: boolean, listening: boolean][] = [
      [process_(application.name), true, false],
      [process_(application.name, ' 1000'), false, false],
      [process_(application.name, '1000'), true, false],
      [process_(application.name.slice(0, -1)), false, false],
      [process_('.*'), false, false],
      [process_(`${application.name}' ; exit 1`), false, false],
      [port(tcpPort, 'tcp'), true, true],
      [port(tcpPort, 'tcp', me), true, true],
      [port(tcpPort, 'tcp', application.name), false, true],
      [port(tcpPort, 'udp'), tcpPort === udpPort, tcpPort === udpPort],
      [port(udpPort, 'udp', me), true, true],
      [port(1, 'tcp'), false, false],
      [{ kind: 'command', run: 'exit 0' }, true, false],
      [{ kind: 'command', run: 'echo 3 process 1; exit 1' }, false, false],
    ];
    const session = localSession({ path: shellFolder(ground, shell) });
    const states = await probe(
      session,
      'see',
      asked.map(([atom]) => atom),
    );
    for (const [index, [atom, holds, listening]] of asked.entries()) {
      t.is(states[index]?.holds, holds, JSON.stringify(atom));
      t.is(states[index]?.listening, listening, JSON.stringify(atom));
    }
    t.deepEqual(states[0]?.pids, [application.pid()]);
    const condition = async (...atoms: Atom[]) =>
      (await session.run({ purpose: 'see', script: `${CHECK_FUNCTIONS}${upCondition(atoms)}` })).code === 0;
    t.true(await condition(process_(application.name), port(tcpPort, 'tcp')));
    t.false(await condition(process_(application.name), port(1, 'tcp')));
  });
}

test('a dead process that waits for its parent does not count', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  // The parent is a shell that becomes a program which never waits for its child.
  const program = join(ground.folder, application.name);
  const parent = spawn('sh', ['-c', `${program} 0 & echo started; exec sleep 60 # ${ground.folder}/`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  await once(parent.stdout, 'data');
  process.kill(application.pid());
  await eventually(t, 'none counts', async () => {
    const [state] = await probe(localSession(), 'see', [process_(application.name)]);
    return state?.holds === false;
  });
  t.pass();
});

test('a service that the server does not know', async (t) => {
  const result = await localSession().run({ purpose: 'x', script: serviceScript(['p2c-none', 'p2c-other'], 'start') });
  t.is(result.code, 127);
  t.regex(result.stderr, /this server has no service named p2c-none p2c-other/);
});

test('a server that does not answer everything has not said that an application is down', async (t) => {
  const atoms = [process_('p2c-none'), process_('p2c-other')];
  const whole = await localSession().run(probeCommand('see', atoms));
  t.is(whole.stdout.toString(), '0 process\n1 process\n');
  for (const stdout of ['', '0 process\n', '0 process\n1 ']) {
    const session = { ...localSession(), run: async () => ({ ...whole, code: 137, stdout: Buffer.from(stdout) }) };
    await t.throwsAsync(probe(session, 'see', atoms), { message: /did not answer everything \(exit code 137\)/ });
  }
});

test('where the names of all processes could not be read, nothing is said to be down', async (t) => {
  const session = localSession();
  const run: typeof session.run = (command) =>
    session.run({ ...command, script: `grep() { echo 'Name: init'; return 137; }\n${command.script}` });
  await t.throwsAsync(probe({ ...session, run }, 'see', [process_('sh')]), {
    code: 'quiesce.probe',
    message: /did not answer everything \(exit code 137\)/,
  });
});
