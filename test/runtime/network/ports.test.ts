import { createServer } from 'node:net';
import test from 'ava';
import { P2cError } from '../../../src/errors.ts';
import { exposedPorts, parsePorts, settlePorts } from '../../../src/runtime/network/ports.ts';
import { listenOnFreePort } from '../../helpers/port.ts';

const tcp = (containerPort: number, hostPort: number, hostIP?: string) => ({
  containerPort,
  hostPort,
  protocol: 'tcp' as const,
  ...(hostIP === undefined ? {} : { hostIP }),
});

test('ports are read as podman reads them', (t) => {
  t.deepEqual(parsePorts('8080:80'), [tcp(80, 8080)]);
  t.deepEqual(parsePorts('80'), [tcp(80, 0)]);
  t.deepEqual(parsePorts('127.0.0.1:8080:80/tcp'), [tcp(80, 8080, '127.0.0.1')]);
  t.deepEqual(parsePorts('127.0.0.1::80'), [tcp(80, 0, '127.0.0.1')]);
  t.deepEqual(parsePorts('0.0.0.0:8080:80'), [tcp(80, 8080)]);
  t.deepEqual(parsePorts('53:53/UDP'), [{ containerPort: 53, hostPort: 53, protocol: 'udp' }]);
  t.deepEqual(parsePorts('8000-8001:80-81'), [tcp(80, 8000), tcp(81, 8001)]);
});

for (const text of [
  '',
  ':',
  '80:',
  'a:80',
  '0:80',
  '80:0',
  '65536:1',
  '1-3:1-2',
  '3-1:1-3',
  '300.0.0.1:1:1',
  '1:1/icmp',
  '1:2:3:4',
  '8080:80 ',
  '-1:80',
]) {
  test(`-p '${text}' is refused`, (t) => {
    const error = t.throws(() => parsePorts(text), { instanceOf: P2cError });
    t.is(error?.exitCode, 2);
    t.true(error?.message.includes(`'${text}'`));
  });
}

test('what an image exposes that is no port is passed over', (t) => {
  const exposed = { '80/tcp': {}, '53/udp': {}, '22': {}, '99999/tcp': {}, '1/icmp': {}, 'x; rm': {}, '0/tcp': {} };
  t.deepEqual(
    exposedPorts(exposed)
      .map(({ containerPort, protocol }) => `${containerPort}/${protocol}`)
      .sort(),
    ['22/tcp', '53/udp', '80/tcp'],
  );
});

test('a port that a program listens on is not taken from it', async (t) => {
  const server = createServer();
  const port = await listenOnFreePort(server, '0.0.0.0');
  t.teardown(() => server.close());
  const error = await t.throwsAsync(settlePorts([tcp(80, port)], []), { instanceOf: P2cError });
  t.regex(error?.message ?? '', new RegExp(`port ${port}/tcp cannot be published: a program`));
});

test('a port without a number gets a free one, and each its own', async (t) => {
  const settled = await settlePorts([tcp(80, 0), tcp(81, 0), { ...tcp(53, 0), protocol: 'udp' }], []);
  t.true(settled.every(({ hostPort }) => hostPort > 0));
  t.not(settled[0]?.hostPort, settled[1]?.hostPort);
  const error = await t.throwsAsync(settlePorts([tcp(80, settled[0]?.hostPort ?? 0)], settled), {
    instanceOf: P2cError,
  });
  t.regex(error?.message ?? '', /another container/);
});
