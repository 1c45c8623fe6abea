/** What a session does when the other side, or the link between, does not do its part. Nothing may hang. */

import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { ServerChannel } from 'ssh2';
import { connect } from '../../src/ssh/connect.ts';
import type { RemoteCommand, Session } from '../../src/ssh/session.ts';
import { type Link, startLink } from '../helpers/link.ts';
import { type ServerBehaviour, startServer } from '../helpers/ssh-server.ts';

const IDLE: RemoteCommand = { purpose: 'wait', script: 'sleep 60', privileged: false };

async function overLink(
  t: ExecutionContext,
  behaviour: ServerBehaviour = {},
): Promise<{ session: Session; link: Link }> {
  const server = await startServer(t, behaviour);
  const link = await startLink(t, server.port);
  const known = await readFile(server.knownHosts, 'utf8');
  await writeFile(server.knownHosts, known.replaceAll(`:${server.port}`, `:${link.port}`));
  const session = await connect({ ...server.target, port: link.port }, { ...server.options, keepaliveMs: 400 });
  t.teardown(() => session[Symbol.asyncDispose]());
  return { session, link };
}

/** Marked commands are answered by the test, the others by sh. */
function onMark(mark: string, answer: (channel: ServerChannel) => void): ServerBehaviour {
  return {
    exec(command, accept) {
      if (!command.includes(mark)) return false;
      answer(accept());
      return true;
    },
  };
}

for (const [how, act] of [
  ['is cut', (link: Link) => link.cut()],
  ['falls silent', (link: Link) => link.freeze()],
] as const) {
  test(`a link that ${how} while a stream runs fails the stream and all that waits`, async (t) => {
    const { session, link } = await overLink(t);
    const stream = await session.stream({ purpose: 'pour', script: 'echo first; sleep 60', privileged: false });
    const waiting = session.run(IDLE);
    waiting.catch(() => {});
    await session.run({ purpose: 'let it begin', script: ':', privileged: false });
    const reader = stream.stdout[Symbol.asyncIterator]();
    t.is(String((await reader.next()).value), 'first\n');
    act(link);
    await t.throwsAsync(reader.next(), { code: 'ssh.lost', name: 'P2cError' });
    await t.throwsAsync(stream.done, { code: 'ssh.lost' });
    await t.throwsAsync(waiting, { code: 'ssh.lost' });
    await t.throwsAsync(session.run(IDLE), { code: 'ssh.lost' });
    await t.throwsAsync(session.stream(IDLE), { code: 'ssh.lost' });
    t.deepEqual(
      session.ledger.map(({ purpose, code }) => [purpose, code]),
      [
        ['see who p2c is there', 0],
        ['let it begin', 0],
        ['pour', null],
        ['wait', null],
      ],
    );
  });

  test(`a link that ${how} in the middle of bytes does not look like the end of them`, async (t) => {
    const { session, link } = await overLink(t);
    const stream = await session.stream({ purpose: 'pour', script: 'cat /dev/zero', privileged: false });
    const read = async (): Promise<void> => {
      let bytes = 0;
      for await (const chunk of stream.stdout) {
        bytes += chunk.length;
        if (bytes > 4_000_000) act(link);
      }
    };
    await t.throwsAsync(read(), { code: 'ssh.lost' });
  });

  test(`a link that ${how} while nobody reads the stream settles it`, async (t) => {
    const { session, link } = await overLink(t);
    const stream = await session.stream({ purpose: 'pour', script: 'cat /dev/zero', privileged: false });
    await sleep(100);
    act(link);
    await t.throwsAsync(stream.done, { code: 'ssh.lost' });
    await t.throwsAsync(stream.stdout[Symbol.asyncIterator]().next(), { code: 'ssh.lost' });
  });

  test(`a link that ${how} while a channel is being opened fails the command`, async (t) => {
    const { session, link } = await overLink(t);
    act(link);
    await t.throwsAsync(session.run(IDLE), { code: 'ssh.lost' });
  });

  test(`a session whose link ${how} can be disposed of`, async (t) => {
    const { session, link } = await overLink(t);
    const waiting = session.run(IDLE);
    waiting.catch(() => {});
    act(link);
    await session[Symbol.asyncDispose]();
    await t.throwsAsync(waiting, { code: 'ssh.lost' });
  });
}

test('a command that does not end in time is given up, and the session goes on', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  await t.throwsAsync(session.run({ ...IDLE, timeoutMs: 200 }), {
    code: 'ssh.command-timeout',
    message: /'wait'.*0\.2 s/,
  });
  t.is((await session.run({ purpose: 'go on', script: 'echo yes', privileged: false })).stdout.toString(), 'yes\n');
  t.is(session.ledger.find(({ purpose }) => purpose === 'wait')?.code, null);
});

test('a stream is given up when it is silent, not when it is long', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const lively = await session.stream({
    purpose: 'drip',
    script: 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 1; done',
    privileged: false,
    timeoutMs: 6000,
  });
  let lines = '';
  for await (const chunk of lively.stdout) lines += chunk.toString();
  t.is(lines, '1\n2\n3\n4\n5\n6\n7\n8\n');
  const silent = await session.stream({
    purpose: 'stall',
    script: 'echo 1; sleep 60',
    privileged: false,
    timeoutMs: 6000,
  });
  const reader = silent.stdout[Symbol.asyncIterator]();
  t.is(String((await reader.next()).value), '1\n');
  await t.throwsAsync(reader.next(), { code: 'ssh.command-timeout', message: /'stall'/ });
  await t.throwsAsync(silent.done, { code: 'ssh.command-timeout' });
});

test('a reader that takes its time is not taken for a silent source', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const stream = await session.stream({
    purpose: 'pour',
    script: 'head -c 6000000 /dev/zero',
    privileged: false,
    timeoutMs: 6000,
  });
  let bytes = 0;
  for await (const chunk of stream.stdout) {
    if (bytes === 0) await sleep(7000);
    bytes += chunk.length;
  }
  t.is(bytes, 6_000_000);
});

test('more output than allowed is refused, and the session goes on', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  await t.throwsAsync(session.run({ purpose: 'babble', script: 'yes', privileged: false }), { code: 'ssh.output' });
  const limited = { purpose: 'babble', script: 'head -c 1001 /dev/zero', privileged: false, maxOutputBytes: 1000 };
  await t.throwsAsync(session.run(limited), { code: 'ssh.output', message: /more than 1000 bytes/ });
  const exact = { ...limited, script: 'head -c 1000 /dev/zero' };
  t.is((await session.run(exact)).stdout.length, 1000);
});

test('of endless errors the last 64 KiB are kept', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const { stderr, code } = await session.run({
    purpose: 'complain',
    script: "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 2",
    privileged: false,
  });
  t.is(stderr.length, 64 * 1024);
  t.true(stderr.endsWith('xlast\n'));
  t.is(code, 2);
});

test('input that cannot be read fails the command', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    throw new Error('the disk is gone');
  }
  await t.throwsAsync(session.run({ purpose: 'eat', script: 'cat', input: broken(), privileged: false }), {
    code: 'ssh.input',
    message: /the disk is gone/,
  });
  t.is((await session.run({ purpose: 'go on', script: 'exit 4', privileged: false })).code, 4);
});

test('input is pulled no faster than the other side takes it', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given += 65_536;
      yield Buffer.alloc(65_536);
    }
  }
  const stream = await session.stream({ purpose: 'sit', script: 'sleep 60', input: endless(), privileged: false });
  await sleep(500);
  t.true(given > 0 && given < 16 * 1024 * 1024, `${given} bytes were pulled`);
  stream.kill();
  stream.kill();
  await t.throwsAsync(stream.done, { name: 'P2cError' });
});

test('a stream that nobody reads holds the source back', async (t) => {
  const { session, link } = await overLink(t);
  const stream = await session.stream({ purpose: 'pour', script: 'cat /dev/zero', privileged: false });
  let before = -1;
  // First the window has to fill, however slowly; then nothing may come any more.
  for (let now = link.received(); now < 1024 * 1024 || now - before > 10_000; now = link.received()) {
    before = now;
    await sleep(500);
  }
  t.true(before < 8 * 1024 * 1024, `${before} bytes came before it stood still`);
  stream.kill();
});

test('a server that ignores how much it may send is cut off', async (t) => {
  const server = await startServer(
    t,
    onMark('flood', (channel) => {
      // What the client allows is counted here, in ssh2's own channel.
      const { outgoing } = channel as unknown as { outgoing: { window: number } };
      outgoing.window = Number.MAX_SAFE_INTEGER;
      // Not a divisor of the window: at exactly none left, ssh2 drops what comes.
      const block = Buffer.alloc(30_000);
      const pour = setInterval(() => {
        if (!channel.writable) clearInterval(pour);
        else for (let count = 0; count < 64; count += 1) channel.write(block);
      }, 5);
      t.teardown(() => clearInterval(pour));
    }),
  );
  const session = await server.connect();
  const stream = await session.stream({ purpose: 'flood', script: 'flood', privileged: false });
  await t.throwsAsync(stream.done, { code: 'ssh.protocol' });
});

test('a session that the server refuses', async (t) => {
  let sessions = 0;
  const server = await startServer(t, {
    session: () => {
      sessions += 1;
      return sessions === 1;
    },
  });
  const session = await server.connect();
  await t.throwsAsync(session.run(IDLE), { code: 'ssh.channel', message: /wait/ });
});

test('a command that the server refuses', async (t) => {
  const server = await startServer(t, {
    exec(command, _accept, reject) {
      if (!command.includes('forbidden')) return false;
      reject();
      return true;
    },
  });
  const session = await server.connect();
  await t.throwsAsync(session.run({ purpose: 'try', script: 'forbidden', privileged: false }), { code: 'ssh.channel' });
});

test('a channel that closes without an exit code', async (t) => {
  const server = await startServer(
    t,
    onMark('vanish', (channel) => {
      channel.write('half of i');
      channel.close();
    }),
  );
  const session = await server.connect();
  const command = { purpose: 'look', script: 'vanish', privileged: false };
  await t.throwsAsync(session.run(command), { code: 'ssh.lost', message: /look/ });
  const stream = await session.stream(command);
  await t.throwsAsync(
    (async () => {
      for await (const _ of stream.stdout);
    })(),
    { code: 'ssh.lost' },
  );
});

test('killed streams end, are in the ledger, and free their channel', async (t) => {
  let open = 0;
  const server = await startServer(
    t,
    onMark('pour', (channel) => {
      open += 1;
      channel.resume();
      channel.on('close', () => {
        open -= 1;
      });
      channel.write('x');
    }),
  );
  const session = await server.connect();
  for (let count = 0; count < 30; count += 1) {
    const stream = await session.stream({ purpose: `pour ${count}`, script: 'pour', privileged: false });
    if (count % 3 === 1) await stream.stdout[Symbol.asyncIterator]().next();
    if (count % 3 === 2) {
      for await (const _ of stream.stdout) break;
    }
    stream.kill();
    await t.throwsAsync(stream.done, { name: 'P2cError' });
  }
  await sleep(100);
  t.is(open, 0);
  t.is(session.ledger.filter(({ code }) => code === null).length, 30);
});

test('many commands at once', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const codes = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      session.run({
        purpose: `exit ${index}`,
        script: `cat >/dev/null; exit ${index}`,
        input: [Buffer.alloc(100_000)],
      }),
    ),
  );
  t.deepEqual(
    codes.map(({ code }) => code),
    Array.from({ length: 40 }, (_, index) => index),
  );
});

test('disposing ends what runs, and may be done twice', async (t) => {
  const server = await startServer(t);
  const session = await server.connect();
  const waiting = session.run(IDLE);
  waiting.catch(() => {});
  await sleep(50);
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  await t.throwsAsync(waiting, { code: 'ssh.lost' });
  await t.throwsAsync(session.run(IDLE), { code: 'ssh.lost', message: /closed/ });
});
