import test from 'ava';
import { Beforehand } from '../../src/pipeline/beforehand.ts';
import { SILENT } from '../../src/pipeline/stage.ts';

test('what was told of a host before its turn is not told again, and what was told of another is', (t) => {
  const beforehand = new Beforehand();
  beforehand.told('a', 'its login prints text');
  const said: string[] = [];
  const show = { ...SILENT, note: (line: string) => void said.push(line) };
  for (const line of ['its login prints text', 'its key was not known']) beforehand.unsaid('a', show).note(line);
  beforehand.unsaid('b', show).note('its login prints text');
  t.deepEqual(said, ['its key was not known', 'its login prints text']);
});
