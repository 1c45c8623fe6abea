/** Asks both questions at once on the terminal it is run on, and writes the answers, or why there is none, to a file. */
import { writeFileSync } from 'node:fs';
import { P2cError } from '../../src/errors.ts';
import { terminalPrompt } from '../../src/ssh/terminal-prompt.ts';

export type Questions = readonly ['First:', 'Second:'];
const QUESTIONS: Questions = ['First:', 'Second:'];

const [file = ''] = process.argv.slice(2);
const prompt = terminalPrompt();
if (prompt === undefined) {
  writeFileSync(file, 'nobody to ask');
} else {
  const answers = await Promise.allSettled(QUESTIONS.map((question) => prompt(question)));
  const told = answers.map((answer) => {
    if (answer.status === 'fulfilled') return answer.value.reveal();
    return answer.reason instanceof P2cError ? `${answer.reason.code} ${answer.reason.exitCode}` : 'unexpected';
  });
  writeFileSync(file, told.join('\n'));
}
