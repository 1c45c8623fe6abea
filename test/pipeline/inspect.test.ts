import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { inspect } from '../../src/pipeline/inspect.ts';
import { type Show, SILENT } from '../../src/pipeline/stage.ts';
import { MARK } from '../../src/source/inspection/sections.ts';
import { startServer } from '../helpers/ssh-server.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** A server that, asked what it is, never answers. */
function silentWhenInspected(command: string, accept: () => void): boolean {
  if (!command.includes(MARK)) return false;
  accept();
  return true;
}

test('an inspection that is interrupted ends at once, and what runs on the server with it', async (t) => {
  const interrupting = new AbortController();
  const reason = new P2cError('interrupted by SIGINT', { code: 'interrupted' });
  let closed = (): void => {};
  const ended = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const server = await startServer(t, {
    exec: (command, accept) => {
      const dealt = silentWhenInspected(command, () => {
        accept()
          .on('close', () => closed())
          .resume();
      });
      if (dealt) interrupting.abort(reason);
      return dealt;
    },
  });
  const began = performance.now();
  const connect = { ...server.options, retries: 3, compress: undefined, signal: interrupting.signal };
  const request = { target: server.target, connect, profiles: [], storeRoot: await temporaryFolder(t) };
  await t.throwsAsync(inspect(request, SILENT));
  t.true(performance.now() - began < 20_000);
  await ended;
});

test('an inspection that is interrupted in its last stage fails with the interruption', async (t) => {
  const interrupting = new AbortController();
  const reason = new P2cError('interrupted by SIGINT', { code: 'interrupted' });
  const server = await startServer(t);
  const show: Show = {
    ...SILENT,
    async stage(title, work) {
      const result = await work(() => {});
      if (title === 'Look at this machine') interrupting.abort(reason);
      return result;
    },
  };
  const connect = { ...server.options, retries: 3, compress: undefined, signal: interrupting.signal };
  const request = { target: server.target, connect, profiles: [], storeRoot: await temporaryFolder(t) };
  await t.throwsAsync(inspect(request, show), { is: reason });
});
