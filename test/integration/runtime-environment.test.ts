/** A container's environment: exactly what was asked for, and nobody else's to read. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onEachEngine } from '../helpers/engines.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** The processes of this machine that have a text in their arguments, which every user can read. */
function tellers(text: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}

onEachEngine('values arrive as they are, whatever a shell, env or a loader would make of them', async (t, runner) => {
  const odd = [
    'QUOTES=a\'b"c`id`$(id)$HOME',
    'LINES=1\n2\n',
    'EMPTY=',
    'with.dot=1',
    '-S=sh',
    'LD_LIBRARY_PATH=/x',
    'IFS=:',
    'PATH=/bin:/x',
  ];
  const p2c = await runner(t, {}, { Env: odd });
  const said = await p2c.ok('run', '--rm', 'test:latest', 'xargs', '-0', '-a', '/proc/self/environ', 'printf', '<%s>');
  for (const text of odd) t.true(said.includes(`<${text}>`), text);
  t.false(said.includes('P2C_'));
});

onEachEngine('the value of a variable is in no process’s arguments', async (t, runner) => {
  const secret = `secret-${process.pid}-${Math.random()}`;
  const p2c = await runner(t, {}, { Env: [`TOKEN=${secret}`] });
  for (const terminal of [[], ['-t']]) {
    const name = `c${terminal.length}`;
    await p2c.ok('run', '-d', ...terminal, '--name', name, 'test:latest', 'sleep', '1000');
    await p2c.ok('exec', '-d', ...terminal, name, 'sleep', '1000');
    t.is((await p2c.ok('exec', name, 'sh', '-c', 'echo $TOKEN')).trim(), secret);
    t.deepEqual(tellers(secret), []);
  }
});

onEachEngine(
  'a file of variables is for the container alone, and what Node knows too is no word to Node',
  async (t, runner) => {
    const p2c = await runner(t);
    t.is(await p2c.ok('run', '--rm', 'test:latest', 'echo', '--env-file=/missing'), '--env-file=/missing');
    const file = join(await temporaryFolder(t), 'variables');
    writeFileSync(file, 'NODE_OPTIONS=--nonsense\n');
    t.is(
      await p2c.ok('run', '--rm', '--env-file', file, 'test:latest', 'sh', '-c', 'echo $NODE_OPTIONS'),
      '--nonsense',
    );
    const missing = await p2c.call('run', '--rm', '--env-file', '/missing', 'test:latest', 'true');
    t.is(missing.code, 125);
    t.regex(missing.stderr, /^p2c: --env-file '\/missing' cannot be read/);
  },
);

onEachEngine('much on the standard input arrives whole, and nothing else is said', async (t, runner) => {
  const p2c = await runner(t);
  const input = 'more than any pipe holds\n'.repeat(1_000_000);
  const ended = await p2c.callWith(input, 'run', '--rm', '-i', 'test:latest', 'md5sum');
  const digest = createHash('md5').update(input).digest('hex');
  t.deepEqual(ended, { code: 0, stdout: `${digest}  -\n`, stderr: '' });
});
