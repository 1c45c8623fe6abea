/** `p2c container inspect`: what p2c knows of containers. */
import { ExitCode } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { defineVerb } from './command.ts';
import { containerDetails } from './container-details.ts';
import { parseFormat } from './format-template.ts';
import { namedContainers } from './named-containers.ts';

export const verb = defineVerb({
  name: 'container inspect',
  usage: '[options] CONTAINER...',
  summary: 'show containers as JSON, in the form of podman inspect',
  examples: [
    ['p2c container inspect old', 'everything'],
    ["p2c container inspect -f '{{.State.Pid}}' old", 'the number of its PID 1 on this machine'],
  ],
  options: (parser) =>
    parser
      .option('format', { alias: 'f', type: 'string', requiresArg: true, describe: "'{{.State.Status}}', or json" })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON: what it does anyway' }),
  async run({ format }, words) {
    const word = format === undefined ? undefined : parseFormat(format);
    const details = await Promise.all((await namedContainers(storeRoot(), words)).map(containerDetails));
    const lines = word === undefined ? [jsonText(details, 2)] : details.map((one) => word(one));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return ExitCode.done;
  },
});
