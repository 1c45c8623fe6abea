import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { Belongings, holding } from '../../src/pipeline/rollback.ts';

const notStarted = new P2cError('nginx did not start', { code: 'quiesce.start-failed', hint: 'service nginx start' });
const interrupted = new P2cError('interrupted by SIGINT', { code: 'interrupted' });

async function endedBy(body: Error | undefined, givingBack: Error): Promise<unknown> {
  return holding(async (held) => {
    held.defer(() => {
      throw givingBack;
    });
    if (body !== undefined) throw body;
  }).catch((error: unknown) => error);
}

test('that applications did not start again is told before what ended the run', async (t) => {
  const told = await endedBy(interrupted, notStarted);
  t.true(told instanceof P2cError);
  if (!(told instanceof P2cError)) return;
  t.is(told.code, 'quiesce.start-failed');
  t.is(told.message, 'nginx did not start');
  t.is(told.hint, 'service nginx start');
  t.is(told.cause, interrupted);
});

test('a folder that could not be removed does not hide what ended the run', async (t) => {
  t.is(await endedBy(interrupted, new Error('EBUSY')), interrupted);
});

test('what is given back fails alone: that is told', async (t) => {
  t.is(await endedBy(undefined, notStarted), notStarted);
});

test('everything is given back, in reverse, also where one of it fails', async (t) => {
  const order: number[] = [];
  const held = new Belongings();
  for (const number of [1, 2, 3]) {
    held.defer(() => {
      order.push(number);
      if (number === 3) throw notStarted;
    });
  }
  await t.throwsAsync(async () => held[Symbol.asyncDispose](), { is: notStarted });
  t.deepEqual(order, [3, 2, 1]);
});
