/** Commands over a session, with a server that can misbehave at the other end. */
import test from 'ava';
import { startServer } from '../helpers/ssh-server.ts';

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('output, errors, exit codes and input', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const spoken = await session.run({ purpose: 'speak', script: 'echo out; echo err >&2; exit 3', privileged: false });
  t.is(spoken.stdout.toString(), 'out\n');
  t.is(spoken.stderr, 'err\n');
  t.is(spoken.code, 3);
  const echoed = await session.run({ purpose: 'echo', script: 'cat', input: [Buffer.from('a'), Buffer.from('b')] });
  t.is(echoed.stdout.toString(), 'ab');
  const closed = await session.run({ purpose: 'read nothing', script: 'cat; echo end' });
  t.is(closed.stdout.toString(), 'end\n');
});

test('bytes pass unchanged both ways, in whatever pieces they come', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256));
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 70_001) {
      yield bytes.subarray(at, at + size);
    }
  }
  const { stdout } = await session.run({ purpose: 'echo', script: 'cat', input: pieces() });
  t.true(stdout.equals(bytes));
  const stream = await session.stream({ purpose: 'echo', script: 'cat', input: pieces() });
  t.true((await collect(stream.stdout)).equals(bytes));
  t.is((await stream.done).code, 0);
});

test('a death by signal is 128 + n', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  t.is((await session.run({ purpose: 'die', script: 'kill -9 $$', privileged: false })).code, 137);
  t.is((await session.run({ purpose: 'die', script: 'kill -USR1 $$', privileged: false })).code, 138);
});

test('a command that reads none of an endless input ends with its own exit code', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  let given = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      given = true;
    }
  }
  const result = await session.run({ purpose: 'leave', script: 'sleep 0.2; exit 5', input: endless() });
  t.is(result.code, 5);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.true(given, 'the input was told that nobody reads on');
});
