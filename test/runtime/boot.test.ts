import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import type { Image } from '../../src/oci/image.ts';
import { servicesLabel, servicesOf } from '../../src/oci/services.ts';
import { decideBoot } from '../../src/runtime/init/boot.ts';
import { shownCommand } from '../../src/runtime/init/booted.ts';
import { isReboot, systemExitCode } from '../../src/runtime/init/ending.ts';
import { servicesScript } from '../../src/runtime/init/services-script.ts';
import { stopSignalOf, stopTimeoutOf } from '../../src/runtime/init/stop.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function image(labels: Record<string, string>, StopSignal?: string): Image {
  const digest = `sha256:${'0'.repeat(64)}` as Image['digest'];
  const config = { Labels: labels, Cmd: ['/bin/sh'], ...(StopSignal === undefined ? {} : { StopSignal }) };
  return {
    reference: 'test:1',
    digest,
    configDigest: digest,
    manifest: { schemaVersion: 2, config: { mediaType: '', digest, size: 0 }, layers: [] },
    config: { architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } },
    size: 0,
  };
}

const SHOP = { name: 'shop', start: [{ run: 'shopctl start', env: {}, seconds: 5 }], stop: [] };
const NOTHING = { command: [] };

test('auto goes by what was given, then by the image’s labels', (t) => {
  const cases: readonly (readonly [Record<string, string>, 'system' | 'services' | 'none'])[] = [
    [{ 'io.p2c.init': 'sysvinit' }, 'system'],
    [{ 'io.p2c.init': 'none', ...servicesLabel([SHOP]) }, 'services'],
    [{ 'io.p2c.init': 'none' }, 'none'],
    [{}, 'none'],
    [{ 'io.p2c.services': 'no JSON' }, 'none'],
  ];
  for (const [labels, mode] of cases)
    t.is(decideBoot('auto', image(labels), NOTHING).mode, mode, JSON.stringify(labels));
  const given = decideBoot('auto', image({ 'io.p2c.init': 'systemd' }), { command: ['true'] });
  t.like(given, { mode: 'none', reaper: undefined });
  t.is(decideBoot('auto', image({ 'io.p2c.init': 'systemd' }), { command: [], entrypoint: '' }).mode, 'none');
});

test('systemd gets the cgroups that it knows', (t) => {
  const of = (labels: Record<string, string>) => decideBoot('system', image(labels), NOTHING);
  t.like(of({ 'io.p2c.init': 'systemd' }), { cgroups: 'v2' });
  t.like(of({ 'io.p2c.init': 'systemd', 'io.p2c.init.cgroups': 'v1' }), { cgroups: 'v1' });
  t.like(of({ 'io.p2c.init': 'upstart' }), { cgroups: undefined });
});

test('what does not go together, or is not there, is said', (t) => {
  const asked = [{ command: ['sh'] }, { command: [], entrypoint: 'x' }, { command: [], user: 'joe' }];
  for (const wish of ['system', 'services'] as const) {
    for (const each of asked) t.throws(() => decideBoot(wish, image({}), each), { message: /do not go together/ });
  }
  t.throws(() => decideBoot('services', image({}), NOTHING), {
    message: /does not say how its applications are started/,
  });
});

test('a stop signal that only an init takes is no command’s', (t) => {
  const adapted = image({ 'io.p2c.init': 'sysvinit' }, 'SIGPWR');
  t.is(stopSignalOf(decideBoot('system', adapted, NOTHING), adapted), 'SIGPWR');
  t.is(stopSignalOf(decideBoot('none', adapted, NOTHING), adapted), 'SIGTERM');
  const chosen = image({ 'io.p2c.init': 'sysvinit' }, 'SIGQUIT');
  t.is(stopSignalOf(decideBoot('none', chosen, NOTHING), chosen), 'SIGQUIT');
  t.is(stopTimeoutOf(decideBoot('none', adapted, NOTHING), adapted), 10);
  t.is(stopTimeoutOf(decideBoot('system', adapted, NOTHING), adapted), 90);
});

test('applications have the time that their profiles give them to stop', (t) => {
  const stopping = (...seconds: number[]) => {
    const stop = seconds.map((each) => ({ run: 'x', env: {}, seconds: each }));
    const labelled = image(servicesLabel([SHOP, { ...SHOP, stop }, { ...SHOP, stop: stop.slice(0, 1) }]));
    return stopTimeoutOf(decideBoot('services', labelled, NOTHING), labelled);
  };
  t.is(stopping(1800, 20.5), 3621);
  t.is(stopping(10), 90);
  t.is(stopping(), 90);
  t.is(stopping(1e300), 86_400);
});

test('a halt is a good end, and a reboot a wish to start again', (t) => {
  t.deepEqual([0, 1, 129, 130, 137].map(systemExitCode), [0, 1, 0, 0, 137]);
  t.deepEqual([0, 129, 130].map(isReboot), [false, true, false]);
});

test('a command is shown as its user gave it, and a script of p2c by two words', (t) => {
  t.deepEqual(shownCommand(['/dev/init', '--', 'nginx', '-g', 'daemon off;']), ['nginx', '-g', 'daemon off;']);
  t.deepEqual(shownCommand(['/bin/sh', '-c', servicesScript([SHOP])]), ['p2c', 'services']);
  for (const own of [['/bin/sh', '-c', 'echo say() {'], ['/sbin/init'], ['/dev/init', 'x'], []])
    t.deepEqual(shownCommand(own), own);
});

test('services travel in a label', (t) => {
  t.deepEqual(servicesLabel([]), {});
  t.deepEqual(servicesOf(image(servicesLabel([SHOP]))), [SHOP]);
});

/** Runs the script with this machine's sh, and asks it to stop once it has started all. */
function runScript(script: string): Promise<{ said: string; code: number | null }> {
  // Where it is not PID 1, something else always runs.
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (text: string): void => {
    said += text;
    if (said.includes('p2c: started')) child.kill('SIGTERM');
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  return new Promise((resolve) => child.once('close', (code) => resolve({ said, code })));
}

test('applications start in order and stop in the reverse of it, whatever their words are', async (t) => {
  const step = (run: string, seconds = 60) => ({ run, env: { NAME: `it's "$HOME"` }, seconds });
  const script = servicesScript([
    { name: 'a', start: [step('echo "a up: $NAME"')], stop: [step('echo a down')] },
    { name: `b'; exit 9; '`, start: [step('exit 3'), step('echo b up')], stop: [step('echo b down')] },
    { name: 'hangs', start: [], stop: [step('exec sleep 1000', 1)] },
    { name: 'none', start: [{ service: ['p2c-no-such', 'nor-this'], env: {}, seconds: 60 }], stop: [] },
  ]);
  const { said, code } = await runScript(script);
  t.is(code, 0, said);
  t.deepEqual(said.trimEnd().split('\n'), [
    `a up: it's "$HOME"`,
    `p2c: b'; exit 9; ': start failed with exit code 3`,
    'b up',
    'p2c: there is no script for p2c-no-such nor-this in /etc/init.d',
    'p2c: none: start failed with exit code 1',
    'p2c: started',
    'p2c: hangs: stop did not end within 1 s',
    'b down',
    'a down',
    'p2c: stopped',
  ]);
});

test('a start that takes longer than its limit is left at work, and the others follow', async (t) => {
  const file = join(await temporaryFolder(t), 'recovered');
  const step = (run: string, seconds: number) => ({ run, env: {}, seconds });
  const { said, code } = await runScript(
    servicesScript([
      { name: 'db', start: [step(`sleep 2; echo >'${file}'`, 1)], stop: [] },
      { name: 'shop', start: [step(`until [ -e '${file}' ]; do sleep 0.1; done; echo shop up`, 10)], stop: [] },
    ]),
  );
  t.is(code, 0, said);
  t.is(said, 'p2c: db: start is still at work after 1 s\nshop up\np2c: started\np2c: stopped\n');
});

test('a stop that takes longer than its limit is killed with all that it started', async (t) => {
  const file = join(await temporaryFolder(t), 'late');
  // As an init script does: the step is not the process that takes its time.
  const run = `sh -c "sh -c 'sleep 3; echo >${file}'; true" >&2; true`;
  const { said, code } = await runScript(
    servicesScript([{ name: 'db', start: [], stop: [{ run, env: {}, seconds: 1 }] }]),
  );
  t.is(code, 0, said);
  t.is(said, 'p2c: started\np2c: db: stop did not end within 1 s\np2c: stopped\n');
  await setTimeout(3000);
  t.false(existsSync(file));
});

test('a step of a process with a newline in its name is killed too', async (t) => {
  const folder = await temporaryFolder(t);
  // sh's own, under another name: the kernel keeps it as it is (proc(5), /proc/pid/stat).
  const run = `cp "$(readlink -f /bin/sh)" '${folder}/a\nb'; '${folder}/a\nb' -c 'sleep 30; true'`;
  const { said, code } = await runScript(
    servicesScript([{ name: 'db', start: [], stop: [{ run, env: {}, seconds: 1 }] }]),
  );
  t.is(code, 0, said);
  t.is(said, 'p2c: started\np2c: db: stop did not end within 1 s\np2c: stopped\n');
});

test('what is started ignores no signal that its own kind expects', async (t) => {
  // proc(5): SIGINT is the second bit, SIGQUIT the third.
  const run = 'echo "ignored: $(sed -n "s/^SigIgn:.*\\(.\\)$/\\1/p" /proc/self/status)"';
  const step = { run, env: {}, seconds: 60 };
  const { said } = await runScript(
    servicesScript([{ name: 'a', start: [step, { ...step, env: { A: 'b' } }], stop: [] }]),
  );
  t.deepEqual(said.match(/ignored: .*/g), ['ignored: 0', 'ignored: 0'], said);
});
