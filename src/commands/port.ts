/** `p2c port`: where a container's published ports are reached. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { findContainer } from '../runtime/containers.ts';
import { networkSettings } from '../runtime/network/settings.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'port',
  usage: '[options] CONTAINER [PORT[/PROTOCOL]]',
  summary: 'show where the published ports of a container are reached',
  examples: [
    ['p2c port old', 'all of them, as 80/tcp -> 0.0.0.0:8080'],
    ['p2c port old 80', 'one of them, as 0.0.0.0:8080'],
  ],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print one JSON array' }),
  async run({ json }, words) {
    const [word, port, ...more] = words;
    if (word === undefined || more.length > 0) {
      throw usageError('one container is named, and a port at most', { code: 'usage', hint: 'p2c port old 80' });
    }
    const { folder, definition } = await findContainer(storeRoot(), word);
    const { ports } = await networkSettings(folder);
    const wanted = port === undefined || port.includes('/') ? port : `${port}/tcp`;
    const found = ports.filter(
      ({ containerPort, protocol }) => wanted === undefined || `${containerPort}/${protocol}` === wanted,
    );
    if (wanted !== undefined && found.length === 0) {
      throw usageError(`the port ${wanted} of '${definition.name}' is not published`, { code: 'network.port' });
    }
    if (json) process.stdout.write(`${jsonText(found)}\n`);
    else {
      const lines = found.map(({ containerPort, protocol, hostIP, hostPort }) => {
        const door = `${hostIP ?? '0.0.0.0'}:${hostPort}`;
        return wanted === undefined ? `${containerPort}/${protocol} -> ${door}\n` : `${door}\n`;
      });
      process.stdout.write(lines.join(''));
    }
    return ExitCode.done;
  },
});
