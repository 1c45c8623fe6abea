/**
 * Whatever becomes of p2c or of the link after the stop: within the lease everything that ran runs again, each time. On
 * real servers with nginx, MariaDB and PostgreSQL.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { type Ended, type Running, startCli } from '../helpers/cli.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { THREE_PROFILES, type ThreeApplications, threeApplications } from '../helpers/three-applications.ts';

const run = promisify(execFile);

/** What p2c says when a stage begins; the stream is slow enough to be caught at work. */
const STAGES = {
  stop: / stop mysql: /,
  list: / List the files again\.\.\./,
  stream: / Stream the files\.\.\./,
  settle: / Settle what moved meanwhile\.\.\./,
  start: / start mysql: /,
};
type Stage = keyof typeof STAGES;

/** A small capture: what is tried here is the stop. */
function startMigration({ server }: ThreeApplications, root: string, lease: string, ...more: string[]): Running {
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const excludes = ['/usr/**', '/var/**', '/opt/**', '/etc/**'].flatMap((pattern) => ['--exclude', pattern]);
  const options = [...THREE_PROFILES, ...excludes, '--lease', lease, '--retries', '1', ...more];
  const args = ['migrate', `root@${server.address}`, ...access, '--tag', 'lab:one', ...options];
  return startCli(args, { P2C_ROOT: root });
}

function slowly(stage: Stage): string[] {
  return stage === 'stream' ? ['--limit-rate', '300k'] : [];
}

/** No name leads to an image. */
function hasNoImage(root: string): boolean {
  const index = join(root, 'index.json');
  return !existsSync(index) || JSON.parse(readFileSync(index, 'utf8')).manifests.length === 0;
}

interface Fault {
  /** Does it, and @returns what undoes it once the applications run again. */
  readonly strike: (three: ThreeApplications, p2c: Running) => Promise<() => Promise<unknown>>;
  /** False where p2c itself is gone: then nothing is left to tell its user. */
  readonly survives: boolean;
}

const KILLED: Fault = {
  survives: false,
  strike: async (_three, { child }) => {
    child.kill('SIGKILL');
    return async () => {};
  },
};
const SUSPENDED: Fault = {
  survives: true,
  strike: async (_three, { child }) => {
    child.kill('SIGSTOP');
    return async () => child.kill('SIGCONT');
  },
};
const CUT: Fault = {
  survives: true,
  strike: async ({ server }) => {
    await run('ip', ['-n', server.netns, 'link', 'set', 'eth0', 'down']);
    return async () => {
      await run('ip', ['-n', server.netns, 'link', 'set', 'eth0', 'up']);
      await run('ip', ['-n', server.netns, 'route', 'replace', 'default', 'via', server.address.replace(/2$/, '1')]);
      // The machine's kernel may have given the neighbour up a moment ago, and says so once more.
      const reached = 'for i in $(seq 100); do (: <"/dev/tcp/$0/22") 2>/dev/null && exit; sleep 0.1; done; exit 1';
      await run('bash', ['-c', reached, server.address]);
    };
  },
};
/** The daemon and every session of it. */
const SSHD_KILLED: Fault = {
  survives: true,
  strike: async ({ inside }) => {
    await inside('pkill -KILL -x sshd || true');
    return () => inside('service ssh start >/dev/null 2>&1 </dev/null');
  },
};

async function oneFault(t: ExecutionContext, three: ThreeApplications, name: string, fault: Fault, stage: Stage) {
  const why = `${name} at stage '${stage}'`;
  const root = await temporaryFolder(t);
  const p2c = startMigration(three, root, '15s', ...slowly(stage));
  t.teardown(() => p2c.child.kill('SIGKILL'));
  await p2c.saw(STAGES[stage]);
  const undo = await fault.strike(three, p2c);
  await three.allWell(why);
  await undo();
  const ended = await p2c.ended;
  if (!fault.survives) t.is(ended.signal, 'SIGKILL', why);
  // What was copied before the start is whole: there the image is made.
  else if (stage !== 'start') {
    t.is(ended.code, 1, `${why}: ${ended.stderr}`);
    t.true(hasNoImage(root), why);
    t.regex(lastWords(ended), /lease|cannot be reached|connection|link/i, why);
  }
  await three.allWell(`${why}, afterwards`);
}

function lastWords({ stderr }: Ended): string {
  return stderr.slice(stderr.indexOf('\np2c: '));
}

const STAGES_AFTER = ['list', 'stream', 'settle', 'start'] as const satisfies Stage[];

/** Each on a server of its own, for nearly all of it is waiting. */
const trouble = test.macro(async (t: ExecutionContext, server: string, fault: Fault, stages: readonly Stage[]) => {
  if (!requireRoot(t)) return;
  t.timeout(30 * 60_000);
  const three = await threeApplications(t, server);
  for (const stage of stages) await oneFault(t, three, t.title, fault, stage);
  t.log(`${stages.length} of ${stages.length} times all three ran again`);
});

test('kill -9', trouble, 'lease-killed', KILLED, ['stop', ...STAGES_AFTER]);
test('suspended for longer than the lease', trouble, 'lease-asleep', SUSPENDED, STAGES_AFTER);
test('the link cut', trouble, 'lease-cut', CUT, STAGES_AFTER);
test('sshd killed', trouble, 'lease-sshd', SSHD_KILLED, STAGES_AFTER);

test('what p2c can still clean up, it does at once: signals and a full disk', async (t) => {
  if (!requireRoot(t)) return;
  t.timeout(30 * 60_000);
  const three = await threeApplications(t, 'lease-signals');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const p2c = startMigration(three, await temporaryFolder(t), '10m', ...slowly('stream'));
    await p2c.saw(STAGES.stream);
    p2c.child.kill(signal);
    const ended = await p2c.ended;
    t.is(ended.code, 130, ended.stderr);
    t.regex(ended.stderr, new RegExp(`${signal}: ending in good order`));
    // The lease is far from its end: p2c did it.
    t.deepEqual(await three.answering(), ['nginx', 'mysql', 'postgresql'], signal);
    t.false((await three.inside('ls /run')).includes('p2c.lease'));
  }

  const full = await temporaryFolder(t);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', full]);
  t.teardown(() => run('umount', [full]));
  const filled = startMigration(three, full, '10m', ...slowly('stream'));
  await filled.saw(STAGES.stream);
  await run('sh', ['-c', 'cat /dev/zero >"$1/filler" 2>/dev/null || true', 'sh', full]);
  const ended = await filled.ended;
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /space|full/i);
  t.deepEqual(await three.answering(), ['nginx', 'mysql', 'postgresql']);

  // Interrupted again before that is done: it says what it leaves, and to whom.
  const hasty = startMigration(three, await temporaryFolder(t), '30s', ...slowly('stream'));
  await hasty.saw(STAGES.stream);
  hasty.child.kill('SIGTERM');
  await hasty.saw(/ending in good order/);
  hasty.child.kill('SIGTERM');
  const left = await hasty.ended;
  t.is(left.signal, 'SIGTERM');
  t.regex(
    left.stderr,
    /ending at once\np2c: on root@\S+, nginx, mysql, postgresql are left stopped: the watchdog there starts .* by about \d\d:\d\d:\d\d \(in \d/,
  );
  await three.allWell('left to the watchdog');

  // While they are started again that is ended in peace, and no more is done.
  const late = startMigration(three, await temporaryFolder(t), '10m');
  await late.saw(STAGES.start);
  late.child.kill('SIGINT');
  const interrupted = await late.ended;
  t.is(interrupted.code, 130, interrupted.stderr);
  t.notRegex(interrupted.stderr, /Import the image/);
  t.deepEqual(await three.answering(), ['nginx', 'mysql', 'postgresql']);

  const cutover = startMigration(three, await temporaryFolder(t), '10m', '--leave-stopped');
  const done = await cutover.ended;
  t.is(done.code, 0, done.stderr);
  t.regex(
    done.stdout,
    /LEFT DOWN +postgresql, mysql, nginx: stopped on .*\n +service postgresql start\n +service mariadb start\n +service nginx start/,
  );
  t.deepEqual(await three.answering(), ['']);
  t.false((await three.inside('ls /run')).includes('p2c.lease'));
});
