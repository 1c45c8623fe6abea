/** `p2c release`: ends a container's quarantine. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText, printable } from '../printable.ts';
import { findContainer } from '../runtime/containers.ts';
import { parsePorts } from '../runtime/network/ports.ts';
import { checkStaticAddress } from '../runtime/network/request.ts';
import { networkRequest } from '../runtime/network/resolve.ts';
import { HOLD_KINDS } from '../runtime/quarantine/hold.ts';
import { holdsText } from '../runtime/quarantine/quarantine.ts';
import { releaseContainer } from '../runtime/quarantine/release.ts';
import { defineVerb } from './command.ts';

const MANY = { type: 'string', array: true, nargs: 1 } as const;

export const verb = defineVerb({
  name: 'release',
  usage: '[options] CONTAINER',
  summary: 'end the quarantine of a container: start what was held back, and let it out',
  examples: [
    ['p2c release old', 'start cron, mail and timers; the network stays isolated'],
    ['p2c release --network bridge -p 8080:80 old', 'and put it on the network with a way out'],
    ['p2c release --network my_br0 --keep mail old', 'but leave the mail of the old server where it is'],
  ],
  options: (parser) =>
    parser
      .option('network', { ...MANY, describe: 'the networks from now on; without it, it stays isolated' })
      .option('ip', { type: 'string', requiresArg: true, describe: 'its address there' })
      .option('publish', { alias: 'p', ...MANY, describe: '[[IP:]PORT:]PORT[/PROTOCOL], reached through this machine' })
      .option('keep', { ...MANY, choices: HOLD_KINDS, describe: 'what stays held back' })
      .option('json', { type: 'boolean', default: false, describe: 'print what was released as JSON' }),
  async run({ network, ip, publish, keep, json }, words) {
    const [word, ...more] = words;
    if (word === undefined || more.length > 0) {
      throw usageError('one container is released at a time', {
        code: 'usage',
        hint: 'p2c release [options] CONTAINER',
      });
    }
    if (network === undefined && (ip !== undefined || publish !== undefined)) {
      throw usageError('--ip and -p are for the new network', { code: 'usage', hint: '--network bridge' });
    }
    const root = storeRoot();
    const container = await findContainer(root, word);
    const { dns, search, hosts } = container.definition.network;
    const ports = (publish ?? []).flatMap(parsePorts);
    const address = ip === undefined ? undefined : checkStaticAddress(ip);
    const wish = { networks: network ?? [], address, ports, publishAll: false, expose: [], quarantine: false };
    const asked = { ...wish, dns, search, hosts };
    const { id } = container.definition;
    const request = network === undefined ? undefined : await networkRequest(root, asked, {}, id);
    if (request !== undefined && request.mode !== 'networks') {
      throw usageError('a container that was made for a network of its own stays on such a one', {
        code: 'usage',
        hint: "--network bridge, or a name of 'p2c network ls'",
      });
    }
    const wanted = { network: request, keep: keep ?? [] };
    const say = (chunk: Buffer): boolean => process.stderr.write(printable(chunk.toString('utf8'), { newlines: true }));
    const released = await releaseContainer(root, container, wanted, say);
    const names = released.map(({ kind, name, init }) => ({ kind, name, init }));
    if (json) process.stdout.write(`${jsonText({ released: names, networks: request?.networks ?? null })}\n`);
    else {
      const where = request === undefined ? 'it stays on its network' : `on ${request.networks.join(', ')}`;
      process.stdout.write(`released: ${printable(holdsText(released) || 'nothing was held back')}; ${where}\n`);
    }
    return ExitCode.done;
  },
});
