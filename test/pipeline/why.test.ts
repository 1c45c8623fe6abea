import test from 'ava';
import { type RuleInput, RuleSet } from '../../src/listing/rules.ts';
import { Explanations } from '../../src/pipeline/stages/why.ts';
import { type ByteString, byteStringFromText, printablePath } from '../../src/printable.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { directory, entry } from '../helpers/entries.ts';

const MOUNTS = '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:4 / /proc rw - proc proc rw\n';

function rule(action: RuleInput['action'], pattern: string): RuleInput {
  return { level: 'command line', action, pattern, reason: 'test' };
}

function explained(asked: readonly string[]): string[] {
  const rules = new RuleSet([rule('exclude', '/x'), rule('include', '/x/way/keep')]);
  const explanations = new Explanations({
    paths: asked.map(byteStringFromText),
    filesystems: classifyMounts(parseMountinfo(Buffer.from(MOUNTS))),
  });
  const odd = { path: '/odd\xff\n' as ByteString };
  const below = [directory('/x/other'), directory('/x/way'), entry('/x/way/keep'), entry('/y\\n')];
  for (const each of [directory('/'), entry('/odd', odd), directory('/x'), ...below])
    explanations.add(each, rules.decide(each));
  return explanations
    .result(["find: '/bad/disk': Input/output error"])
    .map(({ path, verdict, rule: by, reason }) => [printablePath(path), verdict, by ?? reason].join(': '));
}

test('a directory that is left out is told as captured where it leads to something that is', (t) => {
  t.deepEqual(explained(['/x', '/x/other', '/x/way', '/x/way/keep']), [
    '/x: captured: a rule leaves it out, and it leads to /x/way/keep',
    '/x/other: left out: command line:/x',
    '/x/way: captured: a rule leaves it out, and it leads to /x/way/keep',
    '/x/way/keep: captured: command line:+/x/way/keep',
  ]);
});

test('any path can be asked for: names as p2c writes them, what is elsewhere, and what nobody saw', (t) => {
  t.deepEqual(explained(['/odd\\xff\\n', '/y\\n', '/proc/1', '/bad/disk/x', '/none']), [
    '/odd\\xff\\n: captured: no rule speaks of it',
    '/y\\n: captured: no rule speaks of it',
    '/proc/1: not captured: proc is made by the kernel',
    '/bad/disk/x: not seen: find could not look at /bad/disk: Input/output error',
    '/none: not there: the listing of the server has no such path',
  ]);
});
