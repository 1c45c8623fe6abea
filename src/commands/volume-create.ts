/** `p2c volume create`: an empty volume; the first container that uses it fills it from its image. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ensureVolume, newVolumeName, refuseVolume } from '../runtime/volumes/volumes.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'volume create',
  usage: '[options] [NAME]',
  summary: 'make an empty volume; the first container that uses it fills it with what its image has there',
  examples: [['p2c volume create data', 'then: p2c run -v data:/srv/data …']],
  options: (parser) =>
    parser
      .option('label', { alias: 'l', type: 'string', array: true, nargs: 1, describe: 'KEY=VALUE' })
      .option('ignore', { type: 'boolean', default: false, describe: 'one that is there already is no fault' }),
  async run({ label, ignore }, words) {
    if (words.length > 1) throw usageError('one name is expected', { code: 'usage' });
    const root = storeRoot();
    const name = words[0] ?? newVolumeName();
    if (!ignore) await refuseVolume(root, name);
    const labels = Object.fromEntries((label ?? []).map(keyAndValue));
    await ensureVolume(root, name, { anonymous: false, labels });
    process.stdout.write(`${name}\n`);
    return ExitCode.done;
  },
});

function keyAndValue(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
