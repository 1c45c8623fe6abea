import test from 'ava';
import { table } from '../../src/report/table.ts';

test('columns are as wide as they need', (t) => {
  t.is(
    table(
      [
        ['lab', '1.0 GB'],
        ['a-longer-name', '2 B'],
      ],
      ['NAME', 'SIZE'],
      80,
    ),
    ['NAME           SIZE', 'lab            1.0 GB', 'a-longer-name  2 B'].join('\n'),
  );
});

test('without rows, the headings stand alone', (t) => {
  t.is(table([], ['A', 'B'], 80), 'A  B');
});

test('cells that are missing are empty, and those without a heading are left out', (t) => {
  t.is(table([['x'], ['y', 'z', 'more']], ['A', 'B'], 80), 'A  B\nx\ny  z');
});

test('no line is wider than the terminal; the widest columns are cut, and say so', (t) => {
  const rows = [['short', 'm'.repeat(30), 'w'.repeat(200)]];
  for (const width of [120, 80, 60, 50]) {
    const lines = table(rows, ['ONE', 'TWO', 'THREE'], width).split('\n');
    for (const line of lines) t.true(Array.from(line).length <= width, `${line} at ${width}`);
    t.regex(lines[1] ?? '', /^short {2,}m.*w…$/);
  }
  t.regex(table(rows, ['ONE', 'TWO', 'THREE'], 120), /m{30} /);
});

test('columns stay readable where the terminal is too narrow', (t) => {
  const line = table([['a'.repeat(50), 'b'.repeat(50)]], ['ONE', 'TWO'], 5).split('\n')[1];
  t.is(line, `${'a'.repeat(7)}…  ${'b'.repeat(7)}…`);
});

test('what a terminal would obey is escaped before the width is counted', (t) => {
  t.is(table([['\x1b[2J\n', 'x']], ['NAME', 'B'], 80), 'NAME       B\n\\x1b[2J\\n  x');
});

test('characters beyond 16 bits count as one and are not cut in half', (t) => {
  const [, first, second] = table(
    [
      ['😀'.repeat(20), 'x'],
      ['y', 'z'],
    ],
    ['A', 'B'],
    11,
  ).split('\n');
  t.is(first, `${'😀'.repeat(7)}…  x`);
  t.is(second, 'y         z');
});
