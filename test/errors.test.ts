import test from 'ava';
import { describeError, errorRecord, P2cError } from '../src/errors.ts';
import { isSafe } from './helpers/is-safe.ts';

test('an error is safe to show, as text and as JSON', (t) => {
  const bad = '\x1b[2J\u009b2J\u202e';
  const error = new P2cError(`a\n${bad}`, { code: 'x', hint: `b ${bad}`, cause: new Error(`c ${bad}`) });
  t.true(isSafe(describeError(error)));
  t.true(isSafe(JSON.stringify(errorRecord(error))));
  t.deepEqual(errorRecord(error), {
    code: 'x',
    message: 'a\n\\x1b[2J\\x9b2J\\u{202e}',
    hint: 'b \\x1b[2J\\x9b2J\\u{202e}',
    causes: ['c \\x1b[2J\\x9b2J\\u{202e}'],
  });
});
