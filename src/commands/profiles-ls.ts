/** `p2c profiles ls`: the profiles that p2c ships. */
import { ExitCode, usageError } from '../errors.ts';
import { jsonText } from '../printable.ts';
import { listProfiles } from '../profiles/load.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'profiles ls',
  usage: '[--json]',
  summary: 'list the shipped profiles',
  examples: [['p2c profiles ls', 'names, titles, and whether each was tested against the program']],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async run(options, words) {
    if (words.length > 0) throw usageError("'profiles ls' takes no words", { code: 'usage' });
    const profiles = listProfiles().map((profile) => ({
      name: profile.name,
      title: profile.title ?? profile.name,
      tested: !profile.documented,
    }));
    if (options.json) {
      process.stdout.write(`${jsonText(profiles)}\n`);
      return ExitCode.done;
    }
    const name = Math.max(...profiles.map((profile) => profile.name.length)) + 2;
    for (const profile of profiles) {
      const note = profile.tested ? '' : ' (from documentation, untested)';
      process.stdout.write(`${profile.name.padEnd(name)}${profile.title}${note}\n`);
    }
    return ExitCode.done;
  },
});
