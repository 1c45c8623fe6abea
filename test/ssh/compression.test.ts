/** Compression between a source and here, with the real programs: nothing changes but the way. */
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { COMPRESSORS, type Compressor, compressed, decompressed } from '../../src/ssh/compression.ts';
import { RateLimiter } from '../../src/ssh/rate-limiter.ts';
import type { RemoteCommand, RemoteStream, Session } from '../../src/ssh/session.ts';
import { chooseWire, over } from '../../src/ssh/wire.ts';
import { requirePrograms } from '../helpers/require.ts';
import { startServer } from '../helpers/ssh-server.ts';

async function read({ stdout }: Pick<RemoteStream, 'stdout'>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdout) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function pour(session: Session, command: RemoteCommand, compressor: Compressor) {
  const heard: Buffer[] = [];
  const stream = await session.stream(compressed(command, compressor), (chunk) => heard.push(chunk));
  const out = await read(stream);
  return { out, err: Buffer.concat(heard).toString(), code: (await stream.done).code };
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

for (const compressor of COMPRESSORS) {
  test(`${compressor}: the same bytes, messages and exit code, with input and without`, async (t) => {
    if (!requirePrograms(t, [compressor])) return;
    const session = await (await startServer(t)).connect();
    const data = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(9_000_000, 'text '), randomBytes(17)]);
    const echo = await pour(
      session,
      { purpose: 'echo', script: 'cat; echo bye >&2; exit 2', input: [data] },
      compressor,
    );
    t.is(hash(echo.out), hash(data));
    t.is(echo.err, 'bye\n');
    t.is(echo.code, 2);
    const words = await pour(session, { purpose: 'speak', script: 'echo "it\'s !"; exec sh -c "exit 7"' }, compressor);
    t.deepEqual(words, { out: Buffer.from("it's !\n"), err: '', code: 7 });
    t.deepEqual(await pour(session, { purpose: 'none', script: ':' }, compressor), {
      out: Buffer.alloc(0),
      err: '',
      code: 0,
    });
  });

  test(`${compressor}: what is cut short, or is something else, is no output`, async (t) => {
    if (!requirePrograms(t, [compressor])) return;
    const session = await (await startServer(t)).connect();
    const script = 'head -c 1000000 /dev/urandom';
    // As it travels: the same script, of which nobody says that its output is compressed.
    const { script: travelling } = compressed({ purpose: 'whole', script }, compressor);
    const whole = await read(await session.stream({ purpose: 'whole', script: travelling }));
    const feed = async function* (bytes: Buffer): AsyncGenerator<Buffer> {
      yield bytes;
    };
    for (const bytes of [whole.subarray(0, 500_000), Buffer.from('no such thing '.repeat(1000))]) {
      await t.throwsAsync(read({ stdout: decompressed(feed(bytes), compressor) }), { code: 'ssh.compression' });
    }
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield whole.subarray(0, 100_000);
      throw new Error('the link itself');
    };
    await t.throwsAsync(read({ stdout: decompressed(failing(), compressor) }), { message: 'the link itself' });
  });

  test(`${compressor}: a little that becomes a lot is read at the reader's pace`, async (t) => {
    if (!requirePrograms(t, [compressor])) return;
    const session = await (await startServer(t)).connect();
    const script = 'head -c 1000000000 /dev/zero';
    const stream = await session.stream(compressed({ purpose: 'bomb', script }, compressor));
    const before = process.memoryUsage().rss;
    let bytes = 0;
    for await (const chunk of stream.stdout) {
      bytes += chunk.length;
      if (bytes > 300_000_000) break;
    }
    t.true(bytes < 400_000_000);
    t.true(process.memoryUsage().rss - before < 250_000_000);
  });
}

test('a compressor that is not there gives no output, and not an empty one', async (t) => {
  const session = await (await startServer(t)).connect();
  const command = compressed({ purpose: 'speak', script: 'echo out' }, 'gzip');
  const broken = { ...command, script: command.script.replace('gzip -1', 'no-such-program') };
  await t.throwsAsync(read(await session.stream(broken)), { code: 'ssh.compression' });
});

test('what is behind the end of a gzip stream is not taken for output', async (t) => {
  const feed = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.concat([gzipSync('all'), Buffer.from('more')]);
  };
  const out = await read({ stdout: decompressed(feed(), 'gzip') }).catch((error: unknown) => error);
  t.true(out instanceof Error || (Buffer.isBuffer(out) && out.toString() === 'all'));
});

test('what is asked for is taken, where it is there', async (t) => {
  const session = await (await startServer(t)).connect();
  t.is((await chooseWire(session, 'none', 1e12)).compression, 'none');
  t.is((await chooseWire(session, 'gzip', 1e12)).compression, 'gzip');
  const wire = await chooseWire(session, 'ssh', 1e12);
  t.is(wire.compression, 'ssh');
  const command = { purpose: 'speak', script: 'echo' };
  t.is(over(wire, command), command);
  t.is((await chooseWire(session, 'auto', 1000)).reason, 'there is too little to send for it to matter');
});

test('auto takes a compressor on a slow link, and says what it measured', async (t) => {
  if (!requirePrograms(t, ['gzip'])) return;
  const server = await startServer(t);
  const slow = await server.connect({ limiter: new RateLimiter(2_000_000) });
  const wire = await chooseWire(slow, 'auto', 1e12);
  t.not(wire.compression, 'none');
  t.regex(wire.reason, /^the fastest over this link \(none \d+\.\d MB\/s, .*gzip \d+\.\d MB\/s\)$/);
  t.true(slow.ledger.some(({ purpose }) => purpose === 'measure the link: none'));
});

test('all streams of a limiter take its rate together', async (t) => {
  const limiter = new RateLimiter(1_000_000);
  const started = performance.now();
  const readAll = async (server: Awaited<ReturnType<typeof startServer>>): Promise<number> => {
    const session = await server.connect({ limiter });
    return (await read(await session.stream({ purpose: 'pour', script: 'head -c 6000000 /dev/zero; sleep 0.1' })))
      .length;
  };
  const server = await startServer(t);
  t.deepEqual(await Promise.all([readAll(server), readAll(server)]), [6_000_000, 6_000_000]);
  // Two times 4 MB may have come before anybody had to wait; the rest took its time.
  t.true(performance.now() - started > 3000);
});
