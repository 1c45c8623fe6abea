/** Stopping and starting on a real server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { loadProfile } from '../../src/profiles/load.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { profileSchema } from '../../src/profiles/schema.ts';
import type { Session } from '../../src/ssh/session.ts';
import { eventually } from '../helpers/fake-application.ts';
import { fewAtOnce } from '../helpers/few.ts';
import { stopInAnotherProcess } from '../helpers/killable.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { connectToLab } from '../helpers/lab-session.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';

const few = fewAtOnce(3);

const run = promisify(execFile);
const nginx = loadProfile('nginx');
const cron = loadProfile('cron');

/** Closed with the test; a session whose link is gone closes too. */
async function sessionWith(t: ExecutionContext, server: LabServer): Promise<Session> {
  const session = await connectToLab(server);
  t.teardown(() => session[Symbol.asyncDispose]());
  return session;
}

/** A page that is gone is refused at once; one that is there may come late from a machine with much to do. */
async function hasPage(server: LabServer): Promise<boolean> {
  try {
    const answer = await fetch(`http://${server.address}/`, { signal: AbortSignal.timeout(30_000) });
    return answer.status === 200 && (await answer.text()).length > 0;
  } catch {
    return false;
  }
}

/** Without those of the logins that look at them. */
async function processes(server: LabServer): Promise<string[]> {
  const names = (await server.exec('ps -e -o comm=')).trim().split('\n');
  return names.filter((name) => !/^(sshd|ps$)/.test(name)).sort();
}

/** What a stop may leave on the server: nothing. */
async function nothingLeft(t: ExecutionContext, server: LabServer): Promise<void> {
  t.is((await server.exec('ls -d /run/p2c* /tmp/*p2c* /tmp/.p2c* /var/tmp/*p2c* 2>/dev/null || true')).trim(), '');
  t.is((await server.exec('pgrep -f "[p]2c.lease" || true')).trim(), '');
}

function ready(t: ExecutionContext): boolean {
  return requireRoot(t) && requirePrograms(t, ['ip', 'debootstrap']);
}

for (const suite of ['bullseye', 'bookworm', 'trixie'] as const) {
  test(
    `${suite}: nginx and cron are stopped, the page is gone, and both come back`,
    few(async (t) => {
      if (!ready(t)) return;
      const server = await labServer(t, `quiesce-${suite}`, { suite });
      t.true(await hasPage(server));
      const before = await processes(server);
      const quiesced = await quiesce(await sessionWith(t, server), [nginx, cron]);
      t.deepEqual(quiesced.stopped, ['nginx', 'cron']);
      t.false(await hasPage(server));
      t.false((await processes(server)).some((name) => ['nginx', 'cron'].includes(name)));
      const report = await quiesced.resume();
      t.true(await hasPage(server));
      t.deepEqual(
        report.applications.map(({ name }) => name),
        ['cron', 'nginx'],
      );
      await eventually(t, 'what ran before runs again', async () => {
        const now = await processes(server);
        return now.join() === before.join();
      });
      await nothingLeft(t, server);
      // Started as at boot: not with p2c's locale, nor with what an SSH login has in its environment.
      const environment = await server.exec("tr '\\0' '\\n' </proc/$(cat /run/nginx.pid)/environ");
      t.notRegex(environment, /LC_ALL|SSH_/);
    }),
  );
}

test(
  'a job of cron that runs does not hold a stop up, is left to end, and cron comes back',
  few(async (t) => {
    if (!ready(t)) return;
    const server = await labServer(t, 'quiesce-job');
    // Jobs of the server's start run when cron starts, where it left no mark of an earlier start.
    await server.exec(
      "echo '@reboot root sleep 300' >/etc/cron.d/job && rm -f /run/crond.reboot && service cron restart",
    );
    await eventually(t, 'the job runs', async () => (await processes(server)).includes('sleep'));
    const quiesced = await quiesce(await sessionWith(t, server), [cron]);
    t.deepEqual(quiesced.stopped, ['cron']);
    t.regex(await server.exec('ps -e -o args='), /^\S*CRON\b/m);
    t.notRegex(await server.exec('ps -e -o args='), /^\S*cron\b/m);
    await quiesced.resume();
    t.regex(await server.exec('ps -e -o args='), /^\S*cron\b/m);
    t.true((await processes(server)).includes('sleep'));
    await nothingLeft(t, server);
  }),
);

test(
  'kill -9 of p2c after the stop: within the lease everything runs again',
  few(async (t) => {
    if (!ready(t)) return;
    const server = await labServer(t, 'quiesce-kill');
    const p2c = await stopInAnotherProcess(t, {
      profiles: ['nginx', 'cron'],
      leaseMs: 20_000,
      server,
    });
    t.false(await hasPage(server));
    p2c.kill('SIGKILL');
    await eventually(t, 'the page is back', () => hasPage(server));
    await eventually(t, 'cron is back', async () => (await processes(server)).includes('cron'));
    await eventually(
      t,
      'the watchdog is done',
      async () => (await server.exec('ls /run')).split('\n').includes('p2c.lease') === false,
    );
    await nothingLeft(t, server);
    // A daemon that the watchdog started takes SIGINT and SIGQUIT as any other does.
    const status = await server.exec('cat /proc/$(cat /run/crond.pid)/status');
    const ignored = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? 'f'}`);
    t.is(ignored & 0b110n, 0n);

    const lines: string[] = [];
    const next = await quiesce(await sessionWith(t, server), [nginx], {
      onEvent: (line) => lines.push(line),
    });
    t.regex(lines.join('\n'), /the watchdog of an earlier run had to act[\s\S]*start nginx: service nginx start/);
    await next.resume();
    t.true(await hasPage(server));
  }),
);

test(
  'a lost link: p2c says who starts the applications and when, and the watchdog does',
  few(async (t) => {
    if (!ready(t)) return;
    const server = await labServer(t, 'quiesce-link');
    const quiesced = await quiesce(await sessionWith(t, server), [nginx, cron], { leaseMs: 20_000 });
    await run('ip', ['-n', server.netns, 'link', 'set', 'eth0', 'down']);
    const error = await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
    t.is(error.code, 'quiesce.link-lost');
    t.regex(error.message, /nginx/);
    const inside = async (command: string) =>
      (await run('nsenter', ['-t', String(server.pid), '-m', '-p', '-n', '--', 'sh', '-c', command])).stdout;
    await eventually(t, 'nginx runs again behind the cut', async () => (await inside('pgrep -x nginx || true')) !== '');
    await eventually(t, 'cron runs again behind the cut', async () => (await inside('pgrep -x cron || true')) !== '');
    await run('ip', ['-n', server.netns, 'link', 'set', 'eth0', 'up']);
    await run('ip', ['-n', server.netns, 'route', 'replace', 'default', 'via', server.address.replace(/2$/, '1')]);
    await eventually(t, 'the page is back', () => hasPage(server));
    await eventually(
      t,
      'the watchdog is done',
      async () => !(await server.exec('ls /run')).split('\n').includes('p2c.lease'),
    );
    await nothingLeft(t, server);
  }),
);

test(
  'a stop step that fails: the others run again',
  few(async (t) => {
    if (!ready(t)) return;
    const server = await labServer(t, 'quiesce-fail');
    const broken = profileSchema.parse({
      name: 'broken',
      stop: [{ run: 'echo cannot; exit 4', timeout: '5s', down: { process: 'cron' } }],
      start: [{ service: 'cron', up: { process: 'cron' } }],
    });
    const promise = quiesce(await sessionWith(t, server), [nginx, broken]);
    const error = await t.throwsAsync(promise, { instanceOf: P2cError });
    t.is(error.code, 'quiesce.stop-failed');
    t.regex(error.message, /exit code 4[\s\S]*cannot/);
    t.true(await hasPage(server));
    await nothingLeft(t, server);
  }),
);

test(
  'an application in a container of the server is not taken for one of the server',
  few(async (t) => {
    if (!ready(t)) return;
    const server = await labServer(t, 'quiesce-nested');
    await server.exec('service cron stop');
    // A process of that name in a PID namespace of its own, as an engine on the server would have it.
    await server.exec('cp /bin/sleep /tmp/cron; setsid unshare -p -f /tmp/cron 300 >/dev/null 2>&1 </dev/null &');
    await eventually(t, 'it runs', async () => (await processes(server)).includes('cron'));
    const quiesced = await quiesce(await sessionWith(t, server), [cron]);
    t.deepEqual(quiesced.leftAlone, ['cron']);
    await quiesced.resume();
  }),
);
