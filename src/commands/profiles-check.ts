/** `p2c profiles check`: finds every mistake in profiles before a server is touched. */
import { ExitCode, errorRecord, P2cError, usageError } from '../errors.ts';
import { jsonText, printable } from '../printable.ts';
import { loadProfileFile } from '../profiles/load.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'profiles check',
  usage: '[--json] FILE...',
  summary: 'check profile files and name every mistake with line and column',
  examples: [['p2c profiles check was.yaml db.yaml', 'exit code 2 where one has a mistake']],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async run(options, words) {
    if (words.length === 0) throw usageError('no FILE is named', { code: 'usage' });
    const checked = words.map(check);
    if (options.json) process.stdout.write(`${jsonText(checked)}\n`);
    else {
      for (const { file, mistakes } of checked) {
        const lines = mistakes.length === 0 ? [`${file}: ok`] : mistakes;
        process.stdout.write(`${lines.map((line) => printable(line)).join('\n')}\n`);
      }
    }
    return checked.every(({ mistakes }) => mistakes.length === 0) ? ExitCode.done : ExitCode.usage;
  },
});

function check(file: string): { file: string; mistakes: string[] } {
  try {
    loadProfileFile(file);
    return { file, mistakes: [] };
  } catch (error) {
    if (!(error instanceof P2cError)) throw error;
    const { message, causes } = errorRecord(error);
    // The heading that counts them says nothing that the lines do not.
    const lines = message.split('\n');
    return { file, mistakes: [...(lines.length > 1 ? lines.slice(1) : lines), ...causes] };
  }
}
