/** Passwords typed on a real terminal, which `script` makes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Questions } from '../helpers/ask-twice.ts';
import { ownProcess } from '../helpers/own-process.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const HOME = fileURLToPath(new URL('../..', import.meta.url));
const QUESTIONS: Questions = ['First:', 'Second:'];
const ASK = ownProcess('ask-twice').join(' ');

/** Types each text once its question is shown. @returns what the terminal showed, and what was answered. */
async function type(
  t: ExecutionContext,
  texts: readonly [string, string],
): Promise<{ shown: string; answered: string }> {
  const file = join(await temporaryFolder(t), 'answers');
  const terminal = spawn('/usr/bin/script', ['-qec', `${ASK} ${file}`, '/dev/null'], {
    cwd: HOME,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.teardown(() => terminal.kill('SIGKILL'));
  let shown = '';
  let next = 0;
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const question = QUESTIONS[next];
    if (question === undefined || !shown.includes(question)) return;
    terminal.stdin.write(texts[next] ?? '');
    next += 1;
  });
  await once(terminal, 'exit');
  return { shown, answered: await readFile(file, 'utf8') };
}

test('what is typed is not shown, and two questions are asked one after the other', async (t) => {
  if (!requirePrograms(t, ['script'])) return;
  const { shown, answered } = await type(t, ['open sesame\r', '\x14other secret\r']);
  t.is(answered, 'open sesame\nother secret');
  t.true(shown.indexOf('First:') >= 0 && shown.indexOf('First:') < shown.indexOf('Second:'));
  for (const secret of ['open', 'sesame', 'other', 'secret']) t.false(shown.includes(secret), secret);
});

test('interrupting at a question is an interruption', async (t) => {
  if (!requirePrograms(t, ['script'])) return;
  const { answered } = await type(t, ['half\x03', '\x03']);
  t.is(answered, 'interrupted 130\ninterrupted 130');
});

test('the end of the input is an empty answer', async (t) => {
  if (!requirePrograms(t, ['script'])) return;
  const { answered } = await type(t, ['\x04', 'half\x04']);
  t.is(answered, '\n');
});

test('without a terminal nobody can be asked', async (t) => {
  const file = join(await temporaryFolder(t), 'answers');
  const child = spawn('sh', ['-c', `${ASK} ${file}`], { cwd: HOME, stdio: ['pipe', 'ignore', 'pipe'] });
  await once(child, 'exit');
  t.is(await readFile(file, 'utf8'), 'nobody to ask');
});
