/** Whole servers come up again in a container: captured, adapted, booted by their own init, looked into, stopped, gone. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { cli } from '../helpers/cli.ts';
import { fewAtOnce } from '../helpers/few.ts';
import { type LabOptions, type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const few = fewAtOnce(3);

/** A service that writes down when its own scripts run, into a folder that the test sees. */
const MARK: Readonly<Record<'sysvinit' | 'systemd', string>> = {
  sysvinit: `printf '#!/bin/sh\\necho $1 >>/mark/said\\n' >/etc/init.d/mark && chmod 755 /etc/init.d/mark
    ln -s ../init.d/mark /etc/rc2.d/S99mark && ln -s ../init.d/mark /etc/rc0.d/K01mark`,
  systemd: `printf '%s\\n' '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStart=/bin/sh -c "echo start >>/mark/said"' \\
    'ExecStop=/bin/sh -c "echo stop >>/mark/said"' >/etc/systemd/system/mark.service
    ln -s ../mark.service /etc/systemd/system/multi-user.target.wants/mark.service`,
};
/** A machine with much to do boots slowly. */
const PATIENCE = 180_000;

interface Captured {
  readonly server: LabServer;
  readonly root: string;
  p2c(...args: string[]): Promise<string>;
}

async function captured(t: ExecutionContext, name: string, options: LabOptions, ...more: string[]): Promise<Captured> {
  const server = await labServer(t, name, options);
  await server.exec(`mkdir /mark; ${MARK[options.systemd === true ? 'systemd' : 'sysvinit']}`);
  const root = join(await temporaryFolder(t), 'store');
  const p2c = async (...args: string[]): Promise<string> => {
    const ended = await cli(args, { P2C_ROOT: root });
    t.is(ended.code, 0, `p2c ${args.join(' ')}: ${ended.stderr}${ended.stdout}`);
    return ended.stdout;
  };
  t.teardown(() => cli(['rm', '-f', '-a'], { P2C_ROOT: root }).then(() => undefined));
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  await p2c('migrate', `root@${server.address}`, ...access, '--tag', 'old', ...more);
  return { server, root, p2c };
}

/** Until the work gives what is wanted; the last it gave where it never does. */
async function until<Result>(work: () => Promise<Result>, fits: (result: Result) => boolean): Promise<Result> {
  for (const end = performance.now() + PATIENCE; ; await setTimeout(200)) {
    const result = await work();
    if (fits(result) || performance.now() > end) return result;
  }
}

const LISTENERS = "ss -ltn | awk 'NR > 1 { print $4 }' | sort";

async function listeners({ root }: Captured, name: string): Promise<string> {
  return (await cli(['exec', name, 'sh', '-c', LISTENERS], { P2C_ROOT: root })).stdout;
}

/** What this machine has of a container: mounts, processes, cgroups. */
function traces(root: string, id: string): string[] {
  const lines = (file: string, text: string): string[] => {
    try {
      return readFileSync(file, 'latin1')
        .split('\n')
        .filter((line) => line.includes(text));
    } catch {
      return [];
    }
  };
  const processes = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && lines(`/proc/${name}/cmdline`, root).length > 0,
  );
  const groups = readdirSync('/sys/fs/cgroup').flatMap((name) => {
    try {
      return readdirSync(join('/sys/fs/cgroup', name, 'p2c')).filter((one) => one === id);
    } catch {
      return [];
    }
  });
  return [
    ...lines('/proc/self/mountinfo', root),
    ...processes,
    ...groups,
    ...readdirSync(join(root, 'containers')).filter((name) => name === id),
  ];
}

async function bootAndStop(t: ExecutionContext, made: Captured, engine: string): Promise<void> {
  const { server, root, p2c } = made;
  const mark = join(await temporaryFolder(t), 'mark');
  mkdirSync(mark);
  const id = (
    await p2c('run', '-d', '--engine', engine, '--init', 'system', '--name', engine, '-v', `${mark}:/mark`, 'old')
  ).trim();
  const expected = await server.exec(LISTENERS);
  t.is(
    await until(
      () => listeners(made, engine),
      (found) => found === expected,
    ),
    expected,
    await p2c('logs', engine),
  );
  t.is(await p2c('exec', engine, '/bin/bash', '-c', 'id -u; tty >/dev/null || echo no terminal'), '0\nno terminal\n');
  t.regex(await p2c('exec', '-t', engine, '/bin/bash', '-c', 'tty; exit 0'), /^\/dev\/pts\/\d+\r?\n$/);
  // Another machine than the server, to those that know that one.
  const keys = 'cat /etc/ssh/ssh_host_ed25519_key.pub';
  t.not(await p2c('exec', engine, 'sh', '-c', keys), await server.exec(keys));
  await until(
    async () => readFileSync(join(mark, 'said'), 'utf8'),
    (said) => said === 'start\n',
  );
  await p2c('stop', engine);
  t.is(readFileSync(join(mark, 'said'), 'utf8'), 'start\nstop\n', await p2c('logs', engine));
  const [state] = JSON.parse(await p2c('container', 'inspect', engine));
  t.is(state.State.ExitCode, 0);
  await p2c('rm', engine);
  t.deepEqual(traces(root, id), []);
}

const SERVERS: readonly (readonly [name: string, options: LabOptions])[] = [
  ['bullseye', { suite: 'bullseye' }],
  ['bookworm', { suite: 'bookworm' }],
  ['trixie', { suite: 'trixie' }],
  ['bookworm-systemd', { suite: 'bookworm', systemd: true }],
  ['trixie-systemd', { suite: 'trixie', systemd: true }],
];

for (const [name, options] of SERVERS) {
  test(
    `a ${name} server boots by its own init, on each engine, and ends by its own scripts`,
    few(async (t) => {
      if (!requireRoot(t) || !requirePrograms(t, ['runc'])) return;
      const made = await captured(t, `boot-${name}`, options);
      t.regex(await made.p2c('image', 'receipt', 'old', '--check'), /the receipt holds/);
      for (const engine of ['namespaces', 'runc']) await bootAndStop(t, made, engine);
    }),
  );
}

test(
  'a system that reboots starts again, and one that halts has ended well',
  few(async (t) => {
    if (!requireRoot(t)) return;
    const made = await captured(t, 'boot-again', {});
    const { p2c, root } = made;
    const said = await cli(['run', '-d', '--engine', 'namespaces', '--name', 'again', 'old'], { P2C_ROOT: root });
    t.regex(said.stderr, /boots the image's own init: .*io\.p2c\.init says sysvinit/);
    const up = (): Promise<string> =>
      until(
        () => listeners(made, 'again'),
        (found) => found.includes(':22'),
      );
    t.regex(await up(), /:22$/m);
    // Who reboots a system that still starts may be overtaken by it.
    await until(
      () => p2c('logs', 'again'),
      (log) => log.includes(' console'),
    );
    // Not by what it says: init discards what nobody has read yet of its console (tcflush(3)), its "booting" too.
    const restarts = async (): Promise<number> =>
      JSON.parse(await p2c('container', 'inspect', 'again'))[0].RestartCount;
    t.is(await restarts(), 0);
    await p2c('exec', 'again', 'reboot');
    t.is(await until(restarts, (count) => count === 1), 1, await p2c('logs', 'again'));
    t.regex(await up(), /:22$/m);
    await p2c('exec', 'again', 'halt');
    t.is((await p2c('wait', 'again')).trim(), '0');
  }),
);

test(
  'an image’s applications start without its init, in order, and stop in the reverse of it',
  few(async (t) => {
    if (!requireRoot(t)) return;
    const made = await captured(t, 'boot-services', {}, '--profile', 'nginx', '--profile', 'cron');
    const { p2c } = made;
    await p2c('run', '-d', '--engine', 'namespaces', '--init', 'services', '--name', 'apps', 'old');
    t.regex(
      await until(
        () => listeners(made, 'apps'),
        (found) => found.includes(':80'),
      ),
      /:80$/m,
    );
    await until(
      () => p2c('logs', 'apps'),
      (log) => log.includes('p2c: started'),
    );
    t.regex(await p2c('exec', 'apps', 'ps', '-e', '-o', 'comm'), /^cron$/m);
    t.is(await p2c('ps', '--filter', 'name=apps', '--format', '{{.Command}}'), 'p2c services\n');
    await p2c('stop', 'apps');
    const log = await p2c('logs', 'apps');
    t.regex(log, /Starting periodic.*Starting nginx.*p2c: started.*Stopping nginx.*Stopping periodic.*p2c: stopped/s);
    t.is((await p2c('wait', 'apps')).trim(), '0');
  }),
);

test(
  'a command runs under catatonit where that is asked for',
  few(async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['catatonit'])) return;
    const { p2c, root } = await captured(t, 'boot-none', {});
    for (const engine of ['namespaces', 'runc']) {
      const run = ['run', '--rm', '--engine', engine, '--init', 'none', 'old'];
      t.regex(await p2c(...run, 'cat', '/proc/1/comm'), /^(?:catatonit|init)\n$/);
      t.is((await cli([...run, 'sh', '-c', 'exit 7'], { P2C_ROOT: root })).code, 7);
    }
    const refused = await cli(['run', '--init', 'system', 'old', 'sh'], { P2C_ROOT: root });
    t.is(refused.code, 125);
    t.regex(refused.stderr, /--init system and a command do not go together/);
  }),
);
