import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { hurryCommand, LeaseExit } from '../../src/profiles/lease-scripts.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { eventually, fakeApplication, playground, processesOf, shellFolder } from '../helpers/fake-application.ts';
import { stopInAnotherProcess } from '../helpers/killable.ts';
import { localSession } from '../helpers/local-session.ts';
import { requirePrograms } from '../helpers/require.ts';

const SHELLS = ['dash', 'bash', 'busybox'];

for (const shell of SHELLS) {
  test(`${shell}: stopped, started again, nothing left behind`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const [one, two] = [fakeApplication(ground), fakeApplication(ground)];
    const session = localSession({ path: shellFolder(ground, shell) });
    const quiesced = await quiesce(session, [one.profile, two.profile], { settleMs: 0, place: ground.place });
    t.deepEqual(quiesced.stopped, [one.name, two.name]);
    t.false(one.isUp() || two.isUp());
    t.true(existsSync(ground.lock));
    const report = await quiesced.resume();
    t.true(one.isUp() && two.isUp());
    t.deepEqual(
      report.applications.map((application) => application.name),
      [two.name, one.name],
    );
    t.true(report.applications.every((application) => application.downMs > 0 && !application.byWatchdog));
    t.deepEqual(report.notes, []);
    t.is(await quiesced.resume(), report);
    t.deepEqual(readdirSync(join(ground.folder, 'run')), []);
    t.deepEqual(processesOf(ground.folder).length, 2);
    for (const entry of session.ledger) {
      t.is(entry.changesSource, !/^(see|look)/.test(entry.purpose), entry.purpose);
    }
  });

  test(`${shell}: the watchdog starts the applications when the link is lost`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const [one, two] = [fakeApplication(ground), fakeApplication(ground)];
    const path = shellFolder(ground, shell);
    const session = localSession({ path });
    const quiesced = await quiesce(session, [one.profile, two.profile], {
      settleMs: 0,
      place: ground.place,
      leaseMs: 9000,
    });
    session.cut();
    const error = await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
    t.is(error.code, 'quiesce.link-lost');
    t.regex(error.message, /the watchdog there does it/);
    t.true(error.message.includes(one.name) && error.message.includes(two.name));
    await quiesced[Symbol.asyncDispose]();
    await eventually(t, 'the lock is gone', () => !existsSync(ground.lock));
    t.true(one.isUp() && two.isUp());
    t.deepEqual(processesOf(ground.folder).length, 2);

    const lines: string[] = [];
    const next = await quiesce(localSession({ path }), [one.profile], {
      settleMs: 0,
      place: ground.place,
      onEvent: (line) => lines.push(line),
    });
    t.regex(lines.join('\n'), /the watchdog of an earlier run had to act/);
    await next.resume();
    t.false(existsSync(ground.place.logFile));
  });

  test(`${shell}: a renewed lease lasts`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = fakeApplication(ground);
    const session = localSession({ path: shellFolder(ground, shell) });
    const quiesced = await quiesce(session, [application.profile], { settleMs: 0, place: ground.place, leaseMs: 9000 });
    await new Promise((resolve) => setTimeout(resolve, 8000));
    t.false(application.isUp());
    t.false(quiesced.lost.aborted);
    await quiesced.resume();
    t.true(application.isUp());
  });
}

test('kill -9 of p2c: the watchdog starts the applications', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const profile = join(ground.folder, 'profile.yaml');
  const step = (run: string, check: string) => [{ run, timeout: '10s', [check]: { process: application.name } }];
  writeFileSync(
    profile,
    JSON.stringify({
      name: application.name,
      stop: step(application.stop, 'down'),
      start: step(application.start, 'up'),
    }),
  );
  const p2c = await stopInAnotherProcess(t, {
    profiles: [profile],
    leaseMs: 9000,
    place: { ...ground.place, folders: [...ground.place.folders] },
  });
  t.false(application.isUp());
  p2c.kill('SIGKILL');
  await eventually(t, 'the lock is gone', () => !existsSync(ground.lock));
  t.true(application.isUp());
  t.regex(readFileSync(ground.place.logFile, 'utf8'), /it is up/);
});

test('an application that does not run is left alone, and with none running nothing is written', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  process.kill(application.pid());
  await eventually(t, 'it is down', () => !application.isUp());
  const session = localSession();
  const quiesced = await quiesce(session, [application.profile], { settleMs: 0, place: ground.place });
  t.deepEqual([quiesced.stopped, quiesced.leftAlone], [[], [application.name]]);
  t.deepEqual((await quiesced.resume()).leftAlone, [application.name]);
  t.false(application.isUp());
  t.true(session.ledger.every((entry) => !entry.changesSource));
});

test('a stop step that fails: the others run again, and the error tells step, code and output', async (t) => {
  const ground = playground(t);
  const good = fakeApplication(ground);
  const bad = fakeApplication(ground, (profile) => ({
    ...profile,
    stop: [{ run: 'echo "no such button"; exit 7', timeout: '10s', down: { process: profile.name } }],
  }));
  const promise = quiesce(localSession(), [good.profile, bad.profile], { settleMs: 0, place: ground.place });
  const error = await t.throwsAsync(promise, { instanceOf: P2cError });
  t.is(error.code, 'quiesce.stop-failed');
  t.regex(error.message, /exit code 7/);
  t.regex(error.message, /no such button/);
  t.true(error.message.includes(`process ${bad.name} still runs (pid ${bad.pid()})`));
  t.true(good.isUp() && bad.isUp());
  t.false(existsSync(ground.lock));
});

test('a stop that ends well and stops nothing is found out', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    stop: [{ run: 'true', timeout: '8s', down: { process: profile.name } }],
  }));
  const promise = quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const error = await t.throwsAsync(promise, { instanceOf: P2cError });
  t.is(error.code, 'quiesce.stop-failed');
  t.regex(error.message, /exit code 0.*still runs/);
  t.true(application.isUp());
});

for (const shell of SHELLS) {
  test(`${shell}: a stop step that hangs is given up at its limit, and what it printed is told`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = fakeApplication(ground, (profile) => ({
      ...profile,
      stop: [
        {
          run: `seq 9000; echo waits; exec sleep 20 # ${ground.folder}/`,
          timeout: '2s',
          down: { process: profile.name },
        },
      ],
    }));
    const session = localSession({ path: shellFolder(ground, shell) });
    const promise = quiesce(session, [application.profile], { settleMs: 0, place: ground.place });
    const error = await t.throwsAsync(promise, { instanceOf: P2cError });
    t.is(error.code, 'quiesce.stop-failed');
    t.regex(error.message, /did not end within its limit/);
    t.regex(error.message, /^ {4}9000\n {4}waits\n {4}\S/m);
    t.true(error.message.length < 8000);
    t.true(application.isUp());
  });
}

test('a start step that hangs tells what it printed', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: [{ run: `echo waits; exec sleep 20 # ${ground.folder}/`, timeout: '1s', up: { process: profile.name } }],
  }));
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const error = await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
  t.is(error.code, 'quiesce.start-failed');
  t.regex(error.message, /did not end within its limit/);
  t.regex(error.message, /^ {4}waits$/m);
});

for (const shell of SHELLS) {
  test(`${shell}: a stop step that took too long does not take the application down later`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = fakeApplication(ground, (profile) => {
      const late = `sh -c 'sleep 15; kill $(cat ${ground.folder}/${profile.name}.pid); : ${ground.folder}/late'`;
      return { ...profile, stop: [{ run: `(${late}) | cat`, timeout: '1s', down: { process: profile.name } }] };
    });
    const session = localSession({ path: shellFolder(ground, shell) });
    const begun = performance.now();
    const promise = quiesce(session, [application.profile], { settleMs: 0, place: ground.place });
    const error = await t.throwsAsync(promise, { instanceOf: P2cError });
    t.is(error.code, 'quiesce.stop-failed');
    t.deepEqual(processesOf(ground.folder), [application.pid()], 'the step is gone with what it started');
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, begun + 17_000 - performance.now())));
    t.true(application.isUp());
  });

  test(`${shell}: the watchdog ends a stop step that is still at work before it starts the application`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = fakeApplication(ground, (profile) => ({
      ...profile,
      stop: [
        {
          run: `${profile.stop.map((step) => Reflect.get(step, 'run')).join()}; sleep 15; kill $(cat ${ground.folder}/${profile.name}.pid); : ${ground.folder}/late`,
          timeout: '60s',
          down: { process: profile.name },
        },
      ],
    }));
    const session = localSession({ path: shellFolder(ground, shell) });
    const stopping = quiesce(session, [application.profile], { settleMs: 0, place: ground.place, leaseMs: 9000 });
    const failed = t.throwsAsync(stopping, { instanceOf: P2cError });
    const begun = performance.now();
    await eventually(t, 'it is down', () => !application.isUp());
    session.cut();
    await failed;
    await eventually(t, 'the lock is gone', () => !existsSync(ground.lock));
    t.true(application.isUp());
    t.regex(readFileSync(ground.place.logFile, 'utf8'), /still at work: ended/);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, begun + 17_000 - performance.now())));
    t.true(application.isUp(), 'nothing took it down again');
    t.is(processesOf(ground.folder).length, 1);
  });
}

test('a start that fails is loud, names the command, and does not keep the others down', async (t) => {
  const ground = playground(t);
  const good = fakeApplication(ground);
  const bad = fakeApplication(ground, (profile) => ({
    ...profile,
    start: [{ run: 'echo broken configuration; exit 3', timeout: '3s', up: { process: profile.name } }],
  }));
  const quiesced = await quiesce(localSession(), [good.profile, bad.profile], {
    settleMs: 0,
    place: ground.place,
    leaseMs: 9000,
  });
  const error = await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
  t.is(error.code, 'quiesce.start-failed');
  t.regex(error.message, /DID NOT START AGAIN/);
  t.regex(error.message, /exit code 3[\s\S]*broken configuration/);
  t.true(error.hint?.includes('run there, as root: echo broken configuration; exit 3'));
  t.true(good.isUp());
  // The watchdog remains as the net, tries in its turn, and leaves the debt for the next run to see.
  await eventually(t, 'the watchdog gave up', () => /FAILED/.test(logOf(ground.place.logFile)), 50_000);
  await eventually(t, 'the watchdog ended', () => processesOf(ground.folder).length === 1);
  t.deepEqual(readdirSync(ground.lock).filter((file) => file.startsWith('owed')).length, 1);
});

function logOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

test('a start step that ends badly while the application is up counts as started', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: profile.start.map((step) => ({ ...step, run: `${'run' in step ? step.run : ''}; exit 1` })),
  }));
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const report = await quiesced.resume();
  t.true(application.isUp());
  t.is(report.applications[0]?.steps.at(-1)?.code, 1);
});

test('a daemon that keeps its standard output does not hold the start up', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: profile.start.map((step) => ({
      ...step,
      run: 'run' in step ? String(step.run).replace('>/dev/null 2>&1', '') : '',
    })),
  }));
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const report = await quiesced.resume();
  t.true(application.isUp());
  t.is(report.applications[0]?.steps.at(-1)?.code, 0);
});

test('two runs against one server are refused; the second is told since when and by whom', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  await using first = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const promise = quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const error = await t.throwsAsync(promise, { instanceOf: P2cError });
  t.is(error.code, 'quiesce.busy');
  t.regex(error.message, /since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ by .+@.+, process \d+\/[0-9a-f]+\b/);
  t.false(application.isUp());
  await first.resume();
  t.true(application.isUp());
});

test('of two that begin at the same moment one wins, and the application runs in the end', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const begin = () => quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const results = await Promise.allSettled([begin(), begin()]);
  const codes = results.map((result) =>
    result.status === 'rejected' && result.reason instanceof P2cError ? result.reason.code : 'won',
  );
  t.deepEqual(codes.sort(), ['quiesce.busy', 'won']);
  for (const result of results) if (result.status === 'fulfilled') await result.value.resume();
  t.true(application.isUp());
});

test('a lock whose watchdog died is taken over: what it owes is started first', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const lost = localSession();
  await quiesce(lost, [application.profile], { settleMs: 0, place: ground.place });
  lost.cut();
  process.kill(Number(readFileSync(join(ground.lock, 'pid'), 'utf8')), 'SIGKILL');
  t.false(application.isUp());
  const lines: string[] = [];
  const quiesced = await quiesce(localSession(), [application.profile], {
    place: ground.place,
    onEvent: (line) => lines.push(line),
  });
  t.regex(lines.join('\n'), /had to act[\s\S]*it is up/);
  t.deepEqual(quiesced.stopped, [application.name]);
  await quiesced.resume();
  t.true(application.isUp());
  t.false(existsSync(ground.lock));
});

for (const shell of SHELLS) {
  test(`${shell}: the watchdog of a run that is over does not wait for the end of its lease`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = fakeApplication(ground);
    const path = shellFolder(ground, shell);
    const logged = statSync(dirname(ground.place.logFile), { bigint: true }).mtimeNs;
    const killed = localSession({ path });
    const options = { settleMs: 0, place: ground.place };
    const isOver = async (id: string): Promise<boolean> => id === 'killed';
    const run = (id: string) => ({ id, isOver });
    await quiesce(killed, [application.profile], { ...options, leaseMs: 900_000, run: run('killed') });
    killed.cut();
    // The same run in the same process may be another host of it that is the same server.
    for (const held of [{}, { run: run('killed') }, { run: { id: 'other', isOver: async () => false } }]) {
      const refused = quiesce(localSession({ path }), [application.profile], { ...options, ...held });
      const error = await t.throwsAsync(refused, { instanceOf: P2cError });
      t.is(error.code, 'quiesce.busy');
    }
    // Another run may have begun meanwhile: its watchdog is not told to act.
    const late = await localSession({ path }).run(
      hurryCommand(ground.place, 'since then by somebody, process 1/0 of run killed'),
    );
    t.is(late.code, LeaseExit.notOurs);
    t.false(existsSync(join(ground.lock, 'now')));
    t.false(application.isUp());
    const lines: string[] = [];
    const next = await quiesce(localSession({ path }), [application.profile], {
      ...options,
      run: run('next'),
      onEvent: (line) => lines.push(line),
    });
    t.regex(lines.join('\n'), /^a run that is over holds .* of run killed: [\s\S]*had to act[\s\S]*it is up/);
    t.deepEqual(next.stopped, [application.name]);
    await next.resume();
    t.true(application.isUp());
    t.false(existsSync(ground.lock) || existsSync(ground.place.logFile));
    // Old busybox' touch knows whole seconds.
    const since = statSync(dirname(ground.place.logFile), { bigint: true }).mtimeNs - logged;
    t.true(since === 0n || (shell === 'busybox' && since > -1_000_000_000n && since < 0n), `${since} ns`);
  });
}

test('a lock that is a link is refused and not followed', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const elsewhere = join(ground.folder, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, ground.lock);
  const promise = quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const error = await t.throwsAsync(promise, { instanceOf: P2cError });
  t.is(error.code, 'quiesce.busy');
  t.deepEqual(readdirSync(elsewhere), []);
  t.true(application.isUp());
});

test('what the watchdog could not start is told, also where no check tells that it is down', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground, (profile) => ({ ...profile, start: [{ run: 'exit 3', timeout: '2s' }] }));
  const quiesced = await quiesce(localSession(), [application.profile], {
    settleMs: 0,
    place: ground.place,
    leaseMs: 9000,
  });
  // p2c renews no more, as after a sleep of its machine.
  writeFileSync(join(ground.lock, 'expired'), '');
  const error = await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
  t.is(error.code, 'quiesce.start-failed');
  t.true(error.message.includes(`not all up: ${application.name} missing`), error.message);
  t.true(error.hint?.includes('exit 3'));
});

test('a lease that ran out is noticed, and resume waits for the watchdog', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const quiesced = await quiesce(localSession(), [application.profile], {
    settleMs: 0,
    place: ground.place,
    leaseMs: 60_000,
  });
  // The watchdog finds its state gone, as when somebody cleans up: it must not wait for what never comes.
  writeFileSync(join(ground.lock, 'token'), 'another');
  await eventually(t, 'it runs again', () => application.isUp());
  const report = await quiesced.resume();
  t.true(report.applications[0]?.byWatchdog);
  t.true(quiesced.lost.aborted);
  t.is(quiesced.lost.reason.code, 'quiesce.lease-lost');
});

test('a watchdog that was killed is started again at the next renewal', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const lines: string[] = [];
  const quiesced = await quiesce(localSession(), [application.profile], {
    place: ground.place,
    leaseMs: 9000,
    onEvent: (line) => lines.push(line),
  });
  const before = Number(readFileSync(join(ground.lock, 'pid'), 'utf8'));
  process.kill(before, 'SIGKILL');
  await eventually(t, 'another watchdog', () => {
    const now = logOf(join(ground.lock, 'pid')).trim();
    return now !== '' && Number(now) !== before && processesOf(ground.folder).includes(Number(now));
  });
  t.regex(lines.join('\n'), /watchdog on the server was killed/);
  await quiesced.resume();
  t.true(application.isUp());
});

test('an interrupt during the stop starts what was stopped', async (t) => {
  const ground = playground(t);
  const [good, slow] = [
    fakeApplication(ground),
    fakeApplication(ground, (profile) => ({
      ...profile,
      stop: [{ run: 'true', timeout: '30s', down: { process: profile.name } }],
    })),
  ];
  const abort = new AbortController();
  const reason = new P2cError('interrupted', { code: 'interrupted' });
  const promise = quiesce(localSession(), [good.profile, slow.profile], {
    place: ground.place,
    signal: abort.signal,
    onEvent: (line) => {
      if (line.startsWith(`stop ${slow.name}`)) setTimeout(() => abort.abort(reason), 500);
    },
  });
  t.is(await t.throwsAsync(promise), reason);
  t.true(good.isUp() && slow.isUp());
  t.false(existsSync(ground.lock));
});

test('a folder that cannot be written to: nothing is stopped', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const place = { ...ground.place, folders: [join(ground.folder, 'missing')] };
  const error = await t.throwsAsync(quiesce(localSession(), [application.profile], { place }), {
    instanceOf: P2cError,
  });
  t.is(error.code, 'quiesce.lease-failed');
  t.true(application.isUp());
});

test('left stopped: the watchdog goes, and nobody starts the applications', async (t) => {
  const ground = playground(t);
  const [one, two] = [fakeApplication(ground), fakeApplication(ground)];
  const quiesced = await quiesce(localSession(), [one.profile, two.profile], { settleMs: 0, place: ground.place });
  const { applications } = await quiesced.leave();
  await quiesced[Symbol.asyncDispose]();
  t.deepEqual(
    applications.map(({ name, byHand }) => [name, byHand]),
    [
      [two.name, [two.start]],
      [one.name, [one.start]],
    ],
  );
  t.deepEqual(readdirSync(join(ground.folder, 'run')), []);
  t.deepEqual(processesOf(ground.folder), []);
});

test('what cannot be left stopped is started: the watchdog was quicker', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  // As the watchdog notes it when it begins to act.
  writeFileSync(join(ground.lock, 'expired'), '');
  t.is((await t.throwsAsync(() => quiesced.confirm(), { instanceOf: P2cError })).code, 'quiesce.lease-lost');
  t.is((await t.throwsAsync(() => quiesced.leave(), { instanceOf: P2cError })).code, 'quiesce.lease-lost');
  t.true(quiesced.lost.aborted);
});

test('a capture that ended while the lease was held is good, though the link is gone then', async (t) => {
  const ground = playground(t);
  const session = localSession();
  const quiesced = await quiesce(session, [fakeApplication(ground).profile], { settleMs: 0, place: ground.place });
  await t.notThrowsAsync(() => quiesced.confirm());
  session.cut();
  await t.notThrowsAsync(() => quiesced.confirm());
  t.is((await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError })).code, 'quiesce.link-lost');
});

test('health is asked before the stop and after the start, and what got worse is told', async (t) => {
  const ground = playground(t);
  const mark = join(ground.folder, 'mark');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    stop: profile.stop.map((step) => ({
      ...step,
      run: `rm -f ${mark}; kill $(cat ${join(ground.folder, profile.name)}.pid)`,
    })),
    health: [
      { command: `test -e ${mark} || { echo no mark; exit 1; }`, timeout: '1s' },
      { command: 'true', timeout: '1s' },
      { command: 'exit 3', timeout: '1s' },
    ],
  }));
  writeFileSync(mark, '');
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const { health } = await quiesced.resume();
  t.deepEqual(
    health.map(({ before, after, says }) => [before, after, says]),
    [
      ['healthy', 'sick', 'no mark'],
      ['healthy', 'healthy', ''],
      ['sick', 'sick', 'exit code 3'],
    ],
  );
  t.true(health.every((report) => report.application === application.name));
});

test('a program that does not come back is told, though no check asks for it', async (t) => {
  const ground = playground(t);
  const [good, silent] = [fakeApplication(ground), fakeApplication(ground)];
  const profile = {
    ...good.profile,
    stop: good.profile.stop.map((step) => ({ ...step, run: `${step.run}; ${silent.stop}` })),
  };
  const quiesced = await quiesce(localSession(), [profile], { settleMs: 0, place: ground.place });
  const { differences, applications } = await quiesced.resume();
  t.deepEqual(
    applications.map(({ name }) => name),
    [good.name],
  );
  t.deepEqual(
    differences.filter(({ name }) => name === silent.name),
    [{ kind: 'process', name: silent.name, change: 'gone' }],
  );
});
