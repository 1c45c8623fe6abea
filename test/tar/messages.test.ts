import test from 'ava';
import { complaintOf, TarMessages } from '../../src/tar/messages.ts';

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

test('what a name says is not what tar says', (t) => {
  const messages = new TarMessages();
  for (const name of ['Removing leading x', 'socket ignored', ': File removed before we read it']) {
    messages.push(Buffer.from(`tar: ./${name}: Cannot open: Input/output error\n`));
  }
  t.is(messages.end().problems.length, 3);
});

test('a tar that never stops talking is kept within bounds, and each complaint is heard', (t) => {
  let complaints = 0;
  const messages = new TarMessages(() => {
    complaints += 1;
  });
  for (let i = 0; i < 5000; i += 1) messages.push(Buffer.from(`tar: ./f${i}: Cannot open: Input/output error\n`));
  messages.push(Buffer.alloc(1_000_000, 'x'));
  const account = messages.end();
  t.is(account.problems.length, 1000);
  t.is(complaints, 5000);
  t.true(messages.tail.length <= 8192);
});

test('the longest name that Linux knows is heard whole', (t) => {
  const heard: string[] = [];
  const messages = new TarMessages(({ path }) => heard.push(path));
  const line = Buffer.from(`tar: .${'/\\303\\251'.repeat(1365)}: Cannot open: Input/output error\n`);
  for (let at = 0; at < line.length; at += 100) messages.push(line.subarray(at, at + 100));
  t.deepEqual(heard, ['/\xc3\xa9'.repeat(1365)]);
});

test('what could not be read is told by its path, however tar quotes it', (t) => {
  const found = (problem: string): (string | undefined)[] => {
    const complaint = complaintOf(problem);
    return [complaint?.path, complaint?.reason];
  };
  t.deepEqual(found('./etc/x: Cannot open: Permission denied'), ['/etc/x', 'Cannot open: Permission denied']);
  t.deepEqual(found('./a: Warning: Cannot open: Input/output error'), ['/a', 'Cannot open: Input/output error']);
  t.deepEqual(found('./a: Read error at byte 0, while reading 9 bytes: x'), [
    '/a',
    'Read error at byte 0, while reading 9 bytes: x',
  ]);
  t.deepEqual(found('./n\\nl\\\\\\303\\251: Cannot stat: x'), ['/n\nl\\\xc3\xa9', 'Cannot stat: x']);
  t.deepEqual(found('./a: Cannot: Cannot open: x'), ['/a: Cannot', 'Cannot open: x']);
  const name = '/b: Cannot open: no: Read error at byte 1: x';
  t.deepEqual(found(`.${name}: Warning: Cannot open: Permission denied`), [name, 'Cannot open: Permission denied']);
  t.deepEqual(found('./c: Cannot stat: Cannot allocate memory'), ['/c', 'Cannot stat: Cannot allocate memory']);
  for (const other of ['', 'x', 'Error is not recoverable: exiting now', './a: file changed as we read it']) {
    t.is(complaintOf(other), undefined, other);
  }
});
