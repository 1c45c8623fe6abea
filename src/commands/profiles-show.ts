/** `p2c profiles show`: a profile's file as it is, to read or to copy and edit. */
import { readFileSync } from 'node:fs';
import { ExitCode, usageError } from '../errors.ts';
import { jsonText, printable } from '../printable.ts';
import { profileFile, readProfile } from '../profiles/load.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'profiles show',
  usage: '[--json] NAME|FILE',
  summary: 'print a profile, to read or to start an own one from',
  examples: [
    ['p2c profiles show nginx', 'the file, with its comments'],
    ['p2c profiles show websphere-6 > was.yaml', 'copy it, edit it, and use it: --profile ./was.yaml'],
  ],
  options: (parser) =>
    parser.option('json', { type: 'boolean', default: false, describe: 'print it as p2c understands it, as JSON' }),
  async run(options, words) {
    const name = words[0];
    if (name === undefined || words.length > 1) throw usageError('one NAME or FILE is expected', { code: 'usage' });
    const profile = readProfile(name);
    const text = options.json
      ? `${jsonText(profile)}\n`
      : printable(readFileSync(profileFile(name), 'utf8'), { newlines: true });
    process.stdout.write(text);
    return ExitCode.done;
  },
});
