/** A command that cannot be started is told as such, also by those who do not stay; one that ends so is not. */
import { writeFileSync } from 'node:fs';
import { onEachEngine } from '../helpers/engines.ts';
import { remains } from '../helpers/runner.ts';

const NOTHING = { files: ['names'], mounts: [], processes: [] };

onEachEngine('a command that cannot be started fails run, run -d and start', async (t, runner) => {
  const p2c = await runner(t, { 'root/odd': 'no program' });
  for (const [command, code, reason] of [
    [
      '/nope',
      127,
      /^p2c: the command '\/nope' was not found in the container\n {2}cause: .*no such file.*\n {2}hint: /i,
    ],
    ['nope', 127, /'nope' was not found.*\n {2}cause: .*(?:no such file|not found)/i],
    ['/etc', 126, /^p2c: the command '\/etc' cannot be run in the container\n {2}cause: .*(?:denied|directory).*\n/i],
    ['/root/odd', 126, /'\/root\/odd' cannot be run.*\n {2}cause: .*permission denied/i],
  ] as const) {
    for (const how of [['-d'], ['-dt', '--restart', 'always'], ['--rm']]) {
      const ended = await p2c.call('run', ...how, 'test:latest', command);
      t.deepEqual([ended.code, ended.stdout], [code, ''], `${how} ${command}: ${ended.stderr}`);
      t.regex(ended.stderr, reason, `${how}`);
    }
  }
  const shown = (await p2c.ok('ps', '-a', '--format', '{{.Status}}')).split('\n').sort();
  t.deepEqual(
    shown,
    ['126', '126', '126', '126', '127', '127', '127', '127'].map((code) => `exited (${code})`),
  );
  await p2c.ok('rm', '-af');
  await p2c.ok('create', '--name', 'c', 'test:latest', '/nope');
  for (const words of [
    ['start', 'c'],
    ['start', '-a', 'c'],
    ['restart', 'c'],
  ]) {
    const ended = await p2c.call(...words);
    t.deepEqual([ended.code, ended.stdout], [127, ''], words.join(' '));
    t.regex(ended.stderr, /'\/nope' was not found/);
  }
  t.is(await p2c.ok('wait', 'c'), '127');
  await p2c.ok('rm', 'c');
  t.deepEqual(remains(p2c), NOTHING);
});

onEachEngine('a command that starts and ends at once as if it had not is started', async (t, runner) => {
  const p2c = await runner(t);
  for (const [how, code] of [
    ['-d', 127],
    ['-dt', 126],
  ] as const) {
    const words = ['run', how, '--name', 'c', 'test:latest', 'sh', '-c', `echo executable not found >&2; exit ${code}`];
    t.regex(await p2c.ok(...words), /^[0-9a-f]{64}$/);
    t.is(await p2c.ok('wait', 'c'), String(code));
    await p2c.ok('start', 'c');
    t.is(await p2c.ok('wait', 'c'), String(code));
    await p2c.ok('rm', 'c');
  }
});

onEachEngine(
  'a command that is gone when its policy starts it again is tried as often as that says',
  async (t, runner) => {
    const p2c = await runner(t);
    const script = '#!/bin/sh\nrm /root/once\nexit 1\n';
    const words = ['--restart', 'on-failure:2', 'test:latest', '/root/once'];
    await p2c.ok('create', '--name', 'c', ...words);
    const file = `${p2c.outside}/once`;
    writeFileSync(file, script, { mode: 0o755 });
    await p2c.ok('cp', file, 'c:/root/once');
    await p2c.ok('start', 'c');
    t.is(await p2c.ok('wait', 'c'), '127');
    t.is(await p2c.ok('container', 'inspect', '-f', '{{.RestartCount}}', 'c'), '2');
  },
);
