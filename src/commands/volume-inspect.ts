/** `p2c volume inspect`: where volumes lie. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { findVolume } from '../runtime/volumes/volumes.ts';
import { defineVerb } from './command.ts';
import { parseFormat } from './format-template.ts';
import { volumeRecord } from './volume-record.ts';

export const verb = defineVerb({
  name: 'volume inspect',
  usage: '[options] VOLUME...',
  summary: 'show volumes as JSON, as podman volume inspect does',
  examples: [["p2c volume inspect --format '{{.Mountpoint}}' data", 'where its content lies']],
  options: (parser) =>
    parser
      .option('format', { alias: 'f', type: 'string', requiresArg: true, describe: "'{{.Field}}', or json" })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON: what it does anyway' }),
  async run({ format }, words) {
    if (words.length === 0)
      throw usageError('no volume is named', { code: 'usage', hint: "'p2c volume ls' lists them" });
    const word = format === undefined ? undefined : parseFormat(format);
    const root = storeRoot();
    const records = [];
    for (const name of words) records.push(volumeRecord(root, await findVolume(root, name)));
    const lines = word === undefined ? [jsonText(records, 2)] : records.map((record) => word(record));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return ExitCode.done;
  },
});
