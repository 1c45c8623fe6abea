/** The chunks of a stream: as they came, whole, bounded, and ended as the stream ends. */
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { chunksOf } from '../../src/ssh/chunks.ts';

function pushed(): Readable {
  return new Readable({ highWaterMark: 2 * 1024 * 1024, read() {} });
}

test('chunks are those that were pushed, none joined and none copied', async (t) => {
  const stream = pushed();
  const given = Array.from({ length: 40 }, (_, index) => Buffer.alloc(10_000 + index, index));
  for (const chunk of given.slice(0, 30)) stream.push(chunk);
  const taken: Buffer[] = [];
  for await (const chunk of chunksOf(stream)) {
    taken.push(chunk);
    if (taken.length === 30) {
      for (const more of given.slice(30)) stream.push(more);
      stream.push(null);
    }
  }
  t.is(taken.length, given.length);
  t.true(taken.every((chunk, index) => chunk === given[index]));
});

test('a reader that is busy stops the stream', async (t) => {
  const stream = pushed();
  const chunks = chunksOf(stream);
  stream.push(Buffer.alloc(1));
  await chunks.next();
  for (let sent = 0; sent < 64; sent += 1) {
    stream.push(Buffer.alloc(32 * 1024));
    await turn();
  }
  t.true(stream.isPaused());
  t.true(stream.readableLength >= 1_500_000, 'what is not read lies in the stream, which knows it');
  stream.push(null);
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  t.is(bytes, 64 * 32 * 1024);
});

test('an error is thrown at once, before what waits', async (t) => {
  const stream = pushed();
  const chunks = chunksOf(stream);
  stream.push(Buffer.from('one'));
  t.deepEqual(await chunks.next(), { done: false, value: Buffer.from('one') });
  stream.push(Buffer.from('two'));
  stream.push(Buffer.from('three'));
  stream.destroy(new Error('the link is gone'));
  await turn();
  await t.throwsAsync(chunks.next(), { message: 'the link is gone' });
});

test('a stream that failed or was destroyed before it was read does not hang its reader', async (t) => {
  const failed = pushed().on('error', () => {});
  failed.destroy(new Error('long ago'));
  await turn();
  await t.throwsAsync(chunksOf(failed).next(), { message: 'long ago' });
  const destroyed = pushed();
  destroyed.destroy();
  await turn();
  await t.throwsAsync(chunksOf(destroyed).next(), { message: /closed before its end/ });
});

test('a stream that is closed without an end was cut, and its reader is told', async (t) => {
  const stream = pushed();
  const next = chunksOf(stream).next();
  await turn();
  stream.destroy();
  await t.throwsAsync(next, { message: /closed before its end/ });
});

test('a reader that leaves early hears the stream no more', async (t) => {
  const stream = pushed();
  stream.push(Buffer.from('one'));
  for await (const _ of chunksOf(stream)) break;
  t.is(stream.listenerCount('data'), 0);
  t.true(stream.isPaused());
});
