/** `p2c volume rm`: removes volumes and their content. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { removeVolumes } from '../runtime/volumes/volumes.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'volume rm',
  usage: 'VOLUME...',
  summary: 'remove volumes and their content; one that a container uses is refused',
  examples: [['p2c volume rm data', 'its content is gone then']],
  options: (parser) => parser,
  async run(_, words) {
    if (words.length === 0)
      throw usageError('no volume is named', { code: 'usage', hint: "'p2c volume ls' lists them" });
    const removed = await removeVolumes(storeRoot(), words);
    process.stdout.write(removed.map((name) => `${name}\n`).join(''));
    return ExitCode.done;
  },
});
