import test from 'ava';
import { TarMessages } from '../../src/tar/messages.ts';

const SAID = `tar: Removing leading \`/' from member names
tar: ./var/log/messages: file changed as we read it
tar: ./run/x.sock: socket ignored
tar: ./gone: File removed before we read it
tar: ./secret: Cannot open: Permission denied
tar: Exiting with failure status due to previous errors
`;

for (const chunk of [1, 10, 10_000]) {
  test(`what tar says is sorted, in chunks of ${chunk}`, (t) => {
    const messages = new TarMessages();
    for (let at = 0; at < SAID.length; at += chunk) messages.push(Buffer.from(SAID.slice(at, at + chunk)));
    const account = messages.end();
    t.deepEqual(account.changed, ['/var/log/messages']);
    t.deepEqual(account.problems, ['./secret: Cannot open: Permission denied']);
  });
}

test('a tar that never stops talking is kept within bounds', (t) => {
  const messages = new TarMessages();
  for (let i = 0; i < 5000; i += 1) messages.push(Buffer.from(`tar: ./f${i}: Cannot open: Input/output error\n`));
  messages.push(Buffer.alloc(1_000_000, 'x'));
  const account = messages.end();
  t.is(account.problems.length, 1000);
  t.is(account.problemCount, 5001);
  t.true(messages.tail.length <= 8192);
});
