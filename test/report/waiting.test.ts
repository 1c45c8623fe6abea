/** Why hosts wait, as lines of a log. */
import test from 'ava';
import { type Happening, stamped } from '../../src/report/events/schema.ts';
import { PlainWaits } from '../../src/report/waiting.ts';

const RUN = '20261121-220000-abcd';

async function linesOf(...moments: readonly (readonly Happening[])[]): Promise<string[]> {
  const lines: string[] = [];
  const waits = new PlainWaits((line) => lines.push(line));
  for (const moment of moments) {
    for (const happening of moment) waits.add(stamped(happening, RUN));
    await Promise.resolve();
  }
  for (const line of lines) if (!/^\d\d:\d\d:\d\d /.test(line)) throw new Error(`no time: ${line}`);
  return lines.map((line) => line.slice(9));
}

function waiting(reason: string, ...hosts: readonly string[]): Happening[] {
  return hosts.map((host) => ({ event: 'host-waiting', host, reason }));
}

test('a line for each host and reason', async (t) => {
  const window = 'for its window, which opens at 22:00';
  const lines = await linesOf([...waiting(window, 'a', 'b'), ...waiting('for a', 'c')], waiting('for its turn', 'c'));
  t.deepEqual(lines, [`a: waits ${window}`, `b: waits ${window}`, 'c: waits for a', 'c: waits for its turn']);
});

test('a thousand hosts that wait for their turn are one line', async (t) => {
  const names = Array.from({ length: 1000 }, (_, at) => `web${at + 1}`);
  const lines = await linesOf(waiting('for its turn (2 at once)', ...names));
  t.deepEqual(lines, ['web1, web2, web3 and 997 more: each waits for its turn (2 at once)']);
});

test('a host that is begun anew says why, and when', async (t) => {
  const error = { code: 'ssh.lost', message: 'the link is gone', causes: [] };
  const [line] = await linesOf([{ event: 'host-retrying', host: 'a', failures: 1, waitMs: 5000, error }]);
  t.regex(line ?? '', /^a: the link is gone; it is tried again .*\d\d:\d\d:\d\d$/);
});
