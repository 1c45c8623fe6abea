/** What a container asks of its networks is found out before anything is made. */
import { readdirSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../../src/errors.ts';
import { conflistOf } from '../../../src/runtime/network/conflist.ts';
import { createNetwork } from '../../../src/runtime/network/create.ts';
import { writeNetwork } from '../../../src/runtime/network/networks.ts';
import { networkRequest } from '../../../src/runtime/network/resolve.ts';
import { BRIDGE, NO_WISH } from '../../helpers/network-wish.ts';
import { requirePlugins } from '../../helpers/require.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

async function storeWithNetwork(t: ExecutionContext): Promise<string> {
  const root = await temporaryFolder(t);
  await writeNetwork(root, conflistOf('web', BRIDGE, false));
  return root;
}

const port = (containerPort: number, hostPort = 0, protocol: 'tcp' | 'udp' = 'tcp') => ({
  containerPort,
  hostPort,
  protocol,
});

test('a port that the image exposes, and --expose too, is published once', async (t) => {
  if (!requirePlugins(t)) return;
  const root = await storeWithNetwork(t);
  const wish = { ...NO_WISH, networks: ['web'], publishAll: true };
  const exposed = { '80/tcp': {}, '80': {}, '53/udp': {} };
  const { ports } = await networkRequest(root, { ...wish, expose: [port(80), port(80), port(8080)] }, exposed);
  const texts = ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  t.deepEqual(texts.sort(), ['53/udp', '80/tcp', '8080/tcp']);
  // Two doors to one port are what their user asked for.
  const twice = [port(80, 8080), port(80, 8081)];
  t.deepEqual((await networkRequest(root, { ...wish, ports: twice }, { '80/tcp': {} })).ports, twice);
});

test('a request that is refused makes no network, nor does one that is only looked at', async (t) => {
  if (!requirePlugins(t)) return;
  const root = await temporaryFolder(t);
  const error = await t.throwsAsync(networkRequest(root, { ...NO_WISH, address: '192.0.2.9' }, {}), {
    instanceOf: P2cError,
  });
  t.regex(error?.message ?? '', /192\.0\.2\.9 cannot be had on the network 'p2c': it is not in its subnet 10\.90\./);
  t.like(await networkRequest(root, { ...NO_WISH, ports: [port(80)] }, {}), { networks: ['p2c'] });
  t.like(await networkRequest(root, { ...NO_WISH, quarantine: true }, {}), { networks: ['quarantine'] });
  t.deepEqual(readdirSync(root), []);
  // A store that is not there yet is none to be made either.
  t.like(await networkRequest(`${root}/a/store`, { ...NO_WISH, ports: [port(80)] }, {}), { networks: ['p2c'] });
  t.deepEqual(readdirSync(root), []);
});

test('a network is not both internal and isolated', async (t) => {
  const root = await temporaryFolder(t);
  const both = { driver: 'bridge' as const, internal: true, isolated: true };
  const error = await t.throwsAsync(createNetwork(root, 'x', both), { instanceOf: P2cError });
  t.is(error?.exitCode, 2);
  t.regex(error?.message ?? '', /--internal.*--isolated/);
});
