/** `p2c volume ls`: the volumes of the store. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { table } from '../report/table.ts';
import { listVolumes, volumeUsers } from '../runtime/volumes/volumes.ts';
import { defineVerb } from './command.ts';
import { parseFormat } from './format-template.ts';
import { terminalWidth } from './show.ts';
import { volumeRecord } from './volume-record.ts';

export const verb = defineVerb({
  name: 'volume ls',
  usage: '[options]',
  summary: 'list volumes and the containers that use them',
  examples: [
    ['p2c volume ls', 'all volumes'],
    ['p2c volume ls -q', 'their names alone'],
    ["p2c volume ls --format '{{.Name}} {{.Mountpoint}}'", 'a line each, for scripts'],
  ],
  options: (parser) =>
    parser
      .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'names only' })
      .option('format', { type: 'string', requiresArg: true, describe: "a line each: '{{.Name}}', or json" })
      .option('json', { type: 'boolean', default: false, describe: 'print a JSON array' }),
  async run({ quiet, format, json }, words) {
    if (words.length > 0) throw usageError("'volume ls' takes no words", { code: 'usage' });
    const root = storeRoot();
    const volumes = await listVolumes(root);
    const records = volumes.map((volume) => volumeRecord(root, volume));
    if (json) process.stdout.write(`${jsonText(records)}\n`);
    else if (format !== undefined) {
      const word = parseFormat(format);
      process.stdout.write(records.map((record) => `${word(record)}\n`).join(''));
    } else if (quiet) process.stdout.write(volumes.map(({ name }) => `${name}\n`).join(''));
    else {
      const users = await volumeUsers(root);
      const rows = volumes.map(({ name }) => [name, (users.get(name) ?? []).map((id) => id.slice(0, 12)).join(', ')]);
      process.stdout.write(`${table(rows, ['VOLUME NAME', 'USED BY'], terminalWidth())}\n`);
    }
    return ExitCode.done;
  },
});
