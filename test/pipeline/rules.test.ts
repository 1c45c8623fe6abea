/** Rules that are made of what a source says of itself. */
import test from 'ava';
import { rulesOf } from '../../src/pipeline/stages/rules.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { swapFiles } from '../../src/source/facts.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { entry } from '../helpers/entries.ts';
import { situation } from '../helpers/inspection.ts';

const REQUEST = {
  target: parseTarget('root@old'),
  connect: { retries: 0 },
  profiles: [],
  recognise: false,
  rules: [],
  sparse: 'skip',
} as const;

test('a swap file is left out however fstab writes its path', (t) => {
  const facts = {
    ...situation().facts,
    swapFiles: swapFiles(byteStringFromText('/srv//./swapfile/ none swap sw 0 0\n')),
  };
  const rule = rulesOf(REQUEST, facts).decide(entry('/srv/swapfile'));
  t.is(rule?.id, 'base:/srv/swapfile');
});

test('a fact that no rule can be made of is told, and ends nothing', (t) => {
  const table =
    '1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:1 /b /srv//b\\000\\033[2J rw - ext4 /dev/a rw\n3 1 8:1 /d /c rw - ext4 /dev/a rw\n';
  const filesystems = classifyMounts(parseMountinfo(Buffer.from(table)));
  const notes: string[] = [];
  const rules = rulesOf(REQUEST, { ...situation().facts, filesystems }, (line) => notes.push(line));
  t.is(notes.length, 1);
  t.regex(notes[0] ?? '', /passed over \(bind mount: shows \/b again\): .*'\/srv\/\/b\\x00\\x1b\\\[2J\/\*\*'/);
  t.is(rules.decide(entry('/c/file'))?.id, 'source:/c/**');
});
