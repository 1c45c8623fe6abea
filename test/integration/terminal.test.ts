/** A migration on a terminal, interrupted there. */
import { spawn } from 'node:child_process';
import test from 'ava';
import { CLI, cli } from '../helpers/cli.ts';
import { eventually } from '../helpers/fake-application.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { CTRL_C, onTerminal, SHOW_CURSOR, type Typed } from '../helpers/terminal.ts';

const FIRST = /p2c: SIGINT: ending in good order; interrupt again to end at once/;

for (const [when, seen] of [
  ['while it streams', /Stream the files\r?\n +› .*MB of/],
  ['while it stops them', /cron is down/],
] as const) {
  test(`interrupted ${when}: that is told at once, and the list says that they were started again`, async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['debootstrap', 'script'])) return;
    const server = await labServer(t, 'terminal');
    const typing: Typed[] = [
      [seen, CTRL_C],
      [FIRST, ''],
    ];
    const { shown, typed, code } = await onTerminal(t, migrate(server), typing, {
      P2C_ROOT: await temporaryFolder(t),
      SSH_AUTH_SOCK: '',
      NO_COLOR: '1',
    });
    t.is(typed, 2, shown);
    t.is(code, 130);
    t.regex(shown, /^✔ Connect: as root\r\n/);
    const started = shown.search(/✔ Start the applications again/);
    t.true(shown.search(FIRST) < started, 'before they were started');
    t.notRegex(shown, /↓ Start the applications again/);
    t.regex(shown.replaceAll(SHOW_CURSOR, ''), /p2c: interrupted by SIGINT\r\n$/);
    t.regex(await server.exec('ps -e -o comm='), /cron.*nginx|nginx.*cron/s);
  });
}

test('a terminal that goes away interrupts, and what was stopped is started before the lease is over', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap', 'script'])) return;
  const server = await labServer(t, 'hangup');
  const root = await temporaryFolder(t);
  const command = [...migrate(server), '--lease', '30m'].map((word) => `'${word}'`).join(' ');
  const terminal = spawn('script', ['-qec', `stty cols 150 rows 45; exec ${command}`, '/dev/null'], {
    env: { ...process.env, P2C_ROOT: root, TERM: 'xterm-256color', SSH_AUTH_SOCK: '', NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await new Promise<void>((resolve) => {
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (/Stream the files\r?\n +› .*MB of/.test(shown)) resolve();
    });
  });
  terminal.kill('SIGKILL');
  await server.exec('i=0; until pgrep -x nginx && pgrep -x cron; do [ $((i += 1)) -lt 60 ] || exit 1; sleep 1; done');
  await server.exec('i=0; while [ -e /run/p2c.lease ]; do [ $((i += 1)) -lt 60 ] || exit 1; sleep 1; done');
  // It still ends its session and its journal.
  let runs = '';
  await eventually(t, 'the run is over', async () => {
    runs = (await cli(['runs', 'ls', '--json'], { P2C_ROOT: root })).stdout;
    return !/under way/.test(runs);
  });
  t.regex(runs, /"state":\s*"failed"/);
});

function migrate(server: LabServer): string[] {
  const { user, address, identity, knownHosts } = server;
  const access = ['--identity', identity, '--known-hosts', knownHosts];
  const profiles = ['--profile', 'cron', '--profile', 'nginx'];
  const command = ['migrate', `${user}@${address}`, ...access, ...profiles, '--tag', 'c:1', '--limit-rate', '10m'];
  return [process.execPath, CLI, ...command, '-F', 'none'];
}
