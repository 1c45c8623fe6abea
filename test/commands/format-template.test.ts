import test from 'ava';
import { parseFormat } from '../../src/commands/format-template.ts';

test('a template shows nothing that a terminal obeys, as text or as JSON', (t) => {
  const record = { Name: 'a\x1b[2J\x9b', Labels: { k: '\x9b' }, Names: ['\u202ea', 'b\nc'] };
  t.is(parseFormat('{{.Name}}\\t{{.Names}}')(record), 'a\\x1b[2J\\x9b\t\\u{202e}a,b\nc');
  for (const template of ['{{.Labels}}', '{{json .Labels}}']) {
    t.is(parseFormat(template)(record), '{"k":"\\u009b"}');
  }
  t.deepEqual(JSON.parse(parseFormat('json')(record)), record);
});
