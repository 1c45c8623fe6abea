import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test from 'ava';
import { P2cError } from '../../../src/errors.ts';
import {
  ask,
  packed,
  type Section,
  safeLines,
  sectionScript,
  splitSections,
} from '../../../src/source/inspection/sections.ts';
import { commandLine } from '../../../src/ssh/script.ts';
import { localSession } from '../../helpers/local-session.ts';
import { requirePrograms } from '../../helpers/require.ts';

const NONCE = '@@p2c-inspect-0123456789abcdef';

for (const shell of ['dash', 'bash', 'busybox']) {
  test(`${shell}: each question has its own answer, bounded, whatever the others do`, (t) => {
    if (!requirePrograms(t, [shell])) return;
    const sections: Section[] = [
      { name: 'plain', script: 'echo one; echo two' },
      { name: 'none', script: 'true' },
      { name: 'leaves', script: 'exit 3' },
      { name: 'long', script: 'yes 12345678 | head -n 100000', maxBytes: 1000 },
      { name: 'unended', script: 'printf last' },
      { name: 'forged', script: `echo '${NONCE.slice(0, -1)} plain'; echo mine` },
      { name: 'missing', script: 'no-such-program' },
      { name: 'kills', script: 'kill -KILL $$' },
      { name: 'never', script: 'echo x' },
    ];
    const words = shell === 'busybox' ? ['sh', '-c'] : ['-c'];
    const { stdout } = spawnSync(shell, [...words, sectionScript(sections, NONCE)]);
    const found = splitSections(stdout, sections, NONCE);
    t.deepEqual(found.lines('plain'), ['one', 'two']);
    t.is(found.note('plain'), undefined);
    t.deepEqual(found.lines('none'), []);
    t.deepEqual(found.lines('leaves'), []);
    t.is(found.lines('long').length, 111);
    t.true(found.lines('long').every((line) => line === '12345678'));
    t.regex(found.note('long') ?? '', /cut off/);
    t.is(found.line('unended'), 'last');
    t.deepEqual(found.lines('forged').slice(1), ['mine']);
    t.deepEqual(found.lines('missing'), []);
    t.deepEqual(found.lines('never'), []);
  });
}

test('hostile bytes are made safe: terminals get no escape, and what is not UTF-8 is told', (t) => {
  t.is(safeLines('a\x1b[31mb\nc\xc3\xbc\td\0e\xff'), 'a\\x1b[31mb\ncü\td\0e\\xff');
});

test('an answer that does not come in time, or is too long, is a reason and no failure', async (t) => {
  const session = localSession();
  const failing = (code: string) => ({
    ...session,
    run: () => Promise.reject(new P2cError('it took too long', { code })),
  });
  const question = { purpose: 'ask', sections: [{ name: 'x', script: 'true' }] };
  for (const code of ['ssh.command-timeout', 'ssh.output']) {
    const found = await ask(failing(code), question);
    t.deepEqual(found.none('nothing is there'), {
      unknown: "nothing is there; 'ask' gave no answer: it took too long",
    });
  }
  const error = await t.throwsAsync(ask(failing('ssh.lost'), question), { instanceOf: P2cError });
  t.is(error.code, 'ssh.lost');
});

test('no command is longer than small servers take, and no section is lost', (t) => {
  const sections = Array.from(
    { length: 60 },
    (_, index): Section => ({ name: `s${index}`, script: "echo 'a'\n".repeat(1 + (index % 40)) }),
  );
  const commands = packed(sections);
  t.deepEqual(commands.flat(), sections);
  t.true(commands.length > 1);
  for (const command of commands) t.true(commandLine(sectionScript(command, NONCE), false).length < 9000);
  t.deepEqual(packed([]), []);
});

test('nothing of a question is left on the server', async (t) => {
  const found = await ask(localSession(), {
    purpose: 'ask',
    sections: [{ name: 'where', script: 'echo "$0 $$"; pwd' }],
  });
  t.is(found.lines('where').length, 2);
  t.false(existsSync('p2c_cut'));
});
