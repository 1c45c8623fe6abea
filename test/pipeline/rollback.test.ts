import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { Belongings, toldFirst } from '../../src/pipeline/rollback.ts';

const notStarted = new P2cError('nginx did not start', { code: 'quiesce.start-failed', hint: 'service nginx start' });
const interrupted = new P2cError('interrupted by SIGINT', { code: 'interrupted' });

async function endedBy(body: Error, givingBack: Error): Promise<unknown> {
  try {
    await using held = new Belongings();
    held.defer(() => {
      throw givingBack;
    });
    throw body;
  } catch (error) {
    return toldFirst(error);
  }
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
  const held = new Belongings();
  held.defer(() => {
    throw notStarted;
  });
  let after = false;
  held.defer(() => {
    after = true;
  });
  t.is(toldFirst(await t.throwsAsync(async () => held[Symbol.asyncDispose]())), notStarted);
  t.true(after);
});
