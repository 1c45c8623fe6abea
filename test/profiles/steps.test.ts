import { execFileSync } from 'node:child_process';
import test from 'ava';
import { profileSchema } from '../../src/profiles/schema.ts';
import { stepByHand, stepLine, stepPurpose } from '../../src/profiles/steps.ts';
import { requireRoot } from '../helpers/require.ts';

function step(fields: object) {
  const profile = profileSchema.parse({
    name: 'x',
    stop: [{ down: { process: 'x' }, ...fields }],
    start: [{ run: 'x' }],
  });
  const first = profile.stop[0];
  if (first === undefined) throw new Error('no step');
  return first;
}

function output(fields: object, env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] }): string {
  return execFileSync('sh', ['-c', stepLine('stop', step(fields))], { encoding: 'utf8', env });
}

test('a step sees the environment of a service and its own variables, not those of the session', (t) => {
  const text = output(
    { run: 'env', env: { WHO: "it's me", N: 1 } },
    { PATH: process.env['PATH'], LC_ALL: 'C', LANG: 'de_DE.UTF-8', SSH_CLIENT: '1 2 3', HOME: '/home/ann' },
  );
  const names = text.split('\n').map((line) => line.split('=')[0]);
  t.false(names.includes('LC_ALL') || names.includes('SSH_CLIENT'));
  t.regex(text, /^WHO=it's me$/m);
  t.regex(text, /^N=1$/m);
  t.regex(text, /^LANG=de_DE\.UTF-8$/m);
  t.regex(text, /^HOME=\/root$/m);
});

test('a step keeps its quotes, newlines and exit code', (t) => {
  t.is(output({ run: `printf '%s\\n' "a  b" 'c'"'"'d'\necho $((1 + 1))` }), "a  b\nc'd\n2\n");
  const error = t.throws(() => output({ run: 'false\nexit 9' }));
  t.is((error as Error & { status?: number }).status, 9);
});

test('a step runs as the user that it names, whose shell may be none', (t) => {
  if (!requireRoot(t)) return;
  t.is(output({ run: 'id -un; echo "$WHO"', user: 'nobody', env: { WHO: 'a b' } }), 'nobody\na b\n');
});

test('what a step is called, and what a person would type', (t) => {
  t.is(stepPurpose('nginx', 'stop', step({ service: ['nginx', 'www'] })), 'stop nginx: service nginx stop');
  t.is(stepPurpose('x', 'stop', step({ run: '\n  cd /opt\n  ./stop\n' })), 'stop x: cd /opt …');
  t.is(stepPurpose('x', 'stop', step({ run: 'stop', user: 'oracle' })), 'stop x: stop (as oracle)');
  t.is(stepByHand('start', step({ run: "say 'hi'", user: 'db2' })), `su -s /bin/sh db2 -c 'say '\\''hi'\\'''`);
  t.is(stepByHand('start', step({ service: 'nginx' })), 'service nginx start');
});
