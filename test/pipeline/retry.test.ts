import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { retrying } from '../../src/pipeline/retry.ts';

const lost = new P2cError('the connection was lost', { code: 'ssh.lost' });

/** Fails with these, one after the other, and then succeeds. */
function failing(...errors: unknown[]): { attempt: () => Promise<number>; readonly calls: number } {
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    attempt: async () => {
      const error = errors[calls];
      calls += 1;
      if (error !== undefined) throw error;
      return calls;
    },
  };
}

test('what may heal is tried again, and each failure but the last is told', async (t) => {
  const notes: string[] = [];
  const work = failing(lost, lost);
  t.is(await retrying('part 1 of 2', { retries: 2, note: (line) => notes.push(line) }, work.attempt), 3);
  t.deepEqual(notes, [
    'part 1 of 2: the connection was lost; trying again (1 of 2)',
    'part 1 of 2: the connection was lost; trying again (2 of 2)',
  ]);
});

test('a tar that something killed is given a moment', async (t) => {
  const work = failing(new P2cError('tar ended with exit code 137', { code: 'tar.killed' }));
  const started = performance.now();
  t.is(await retrying('part 1', { retries: 1, note: () => {} }, work.attempt), 2);
  t.true(performance.now() - started >= 400);
});

test('after the last try the failure is what is thrown', async (t) => {
  const work = failing(lost, lost, lost);
  await t.throwsAsync(retrying('x', { retries: 1, note: () => {} }, work.attempt), { is: lost });
  t.is(work.calls, 2);
});

test('what cannot heal is not tried again', async (t) => {
  for (const error of [new P2cError('full', { code: 'store.full' }), new TypeError('a bug')]) {
    const work = failing(error);
    await t.throwsAsync(retrying('x', { retries: 5, note: () => {} }, work.attempt), { is: error });
    t.is(work.calls, 1);
  }
});

test('an interruption ends the waiting, and no try is begun after one', async (t) => {
  const abort = new AbortController();
  const interrupted = new Error('interrupted');
  const work = failing(new P2cError('killed', { code: 'tar.killed' }));
  const patience = { retries: 5, signal: abort.signal, note: () => abort.abort(interrupted) };
  await t.throwsAsync(retrying('x', patience, work.attempt), { is: interrupted });
  t.is(work.calls, 1);
});
