import { readFile } from 'node:fs/promises';
import test from 'ava';
import { callHooks, type HookEnd, type Hooks } from '../../src/fleet/hooks.ts';

const CALL = { run: '20261121-220000-abcd', host: 'web1' } as const;

async function ended(hooks: Hooks, hook: 'pre' | 'post' | 'fail', details: object = {}): Promise<HookEnd[]> {
  const ends: HookEnd[] = [];
  await callHooks(hooks, { hook, ...CALL, ...details }, (end) => ends.push(end));
  return ends;
}

test('a command is given what happened as JSON, and names in its environment', async (t) => {
  const hooks = { commands: { post: `cat; echo; echo "$P2C_HOOK $P2C_RUN $P2C_HOST"; exit 3` } };
  const [end] = await ended(hooks, 'post', { result: { image: "it's" } });
  const [json = '', names] = end?.said.split('\n') ?? [];
  t.deepEqual(JSON.parse(json), { hook: 'post', ...CALL, result: { image: "it's" } });
  t.is(names, `post ${CALL.run} web1`);
  t.like(end, { event: 'hook-ended', host: 'web1', hook: 'post', exitCode: 3 });
  t.deepEqual(await ended(hooks, 'fail'), [], 'the other hooks are not called');
});

test('a pre that fails says so, with what it said; one that reads nothing and says much does no harm', async (t) => {
  const failing = { commands: { pre: 'echo the load balancer is not drained >&2; exit 1' } };
  const error = await t.throwsAsync(ended(failing, 'pre'), { code: 'hook.failed' });
  t.regex(String(error.cause), /not drained/);
  const talkative = { commands: { pre: 'exec <&-; head -c 3000000 /dev/zero | tr "\\0" x; echo; echo end' } };
  const [end] = await ended(talkative, 'pre', { padding: 'y'.repeat(2_000_000) });
  t.is(end?.exitCode, 0);
  t.true((end?.said.length ?? 0) <= 2000);
  t.regex(end?.said ?? '', /end\n$/);
});

test('a pre of the batch that fails is told as that', async (t) => {
  const call = { hook: 'pre', run: CALL.run } as const;
  const error = await t.throwsAsync(
    callHooks({ commands: { pre: 'exit 3' } }, call, () => {}),
    { code: 'hook.failed' },
  );
  t.is(error.message, 'the batch-pre command ended with exit code 3');
  t.like(error, { hint: 'it decides whether the batch is begun: see what it said' });
  const host = await t.throwsAsync(ended({ commands: { pre: 'exit 3' } }, 'pre'));
  t.is(host.message, 'the pre command ended with exit code 3');
});

test('a hook that leaves a daemon with its output holds nobody up, and what it said before is kept', async (t) => {
  const began = performance.now();
  const [end] = await ended({ commands: { post: 'sleep 30 & echo started' } }, 'post');
  t.like(end, { exitCode: 0, said: 'started\n' });
  t.true(performance.now() - began < 15_000);
});

test('a hook that no process can be had for has failed, and throws only where it decides whether a host is begun', async (t) => {
  // More than a program may be given (execve(2), E2BIG).
  const hooks = { commands: { pre: ':', post: ':' } };
  const tooLong = { ...CALL, host: 'x'.repeat(3_000_000) };
  const ends: HookEnd[] = [];
  await callHooks(hooks, { hook: 'post', ...tooLong }, (end) => ends.push(end));
  t.is(ends[0]?.exitCode, null);
  t.regex(ends[0]?.said ?? '', /^it could not be run: .*E2BIG/);
  const error = await t.throwsAsync(
    callHooks(hooks, { hook: 'pre', ...tooLong }, () => {}),
    { code: 'hook.failed' },
  );
  t.regex(String(error.cause), /E2BIG/);
});

test('an interruption ends a pre with all that it started, and leaves what tells of the past', async (t) => {
  const interruption = new AbortController();
  const reason = new Error('interrupted');
  const ends: HookEnd[] = [];
  const call = (hook: 'pre' | 'post', command: string): Promise<void> =>
    callHooks({ commands: { [hook]: command } }, { hook, ...CALL }, (end) => ends.push(end), interruption.signal);
  const pre = t.throwsAsync(call('pre', 'sleep 3000 & echo $!; wait'), { is: reason });
  await new Promise((resolve) => setTimeout(resolve, 300));
  interruption.abort(reason);
  await pre;
  t.like(ends, [{ hook: 'pre', exitCode: null }]);
  const child = Number(ends[0]?.said);
  t.true(child > 1);
  // Where nobody waits for orphans, its entry stays.
  const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => 'gone');
  t.regex(stat, /^gone$|\) [ZX] /);
  await call('post', 'echo told');
  t.like(ends[1], { hook: 'post', exitCode: 0, said: 'told\n' });
  await t.throwsAsync(call('pre', ':'), { is: reason });
  t.is(ends.length, 2, 'it is not begun any more');
});
