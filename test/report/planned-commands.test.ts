import test from 'ava';
import { describeCommands } from '../../src/report/planned-commands.ts';
import { isSafe } from '../helpers/is-safe.ts';

test('scripts are shown line by line, and what a source put into them is not obeyed', (t) => {
  const bad = '\x1b]0;x\x07\u009b2J\u202e';
  const page = describeCommands([
    { purpose: `look at ${bad}`, script: `cd '/${bad}'\nls\n`, when: bad, inputText: `a${bad}\nb\n` },
    { purpose: 'look', script: 'ls' },
  ]);
  t.true(isSafe(page));
  t.regex(
    page,
    /\ncd '\/\\x1b\]0;x\\x07\\x9b2J\\u\{202e\}'\nls\n# its standard input:\n# {3}a\\x1b.*\n# {3}b\n# 2\. look\nls$/,
  );
});
