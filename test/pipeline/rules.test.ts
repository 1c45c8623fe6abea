/** Rules that are made of what a source says of itself. */
import test from 'ava';
import type { RuleInput, RuleSet } from '../../src/listing/rules.ts';
import { leftOutBy, rulesOf } from '../../src/pipeline/stages/rules.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { swapFiles } from '../../src/source/facts.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { directory, entry } from '../helpers/entries.ts';
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

/** The rules of a server with these mounts, by the words of its own table. */
function rulesWith(table: string, rules: readonly RuleInput[] = []): RuleSet {
  const request = { ...REQUEST, rules };
  const filesystems = classifyMounts(parseMountinfo(Buffer.from(table)), leftOutBy(request));
  return rulesOf(request, { ...situation().facts, filesystems });
}

function written(action: RuleInput['action'], pattern: string): RuleInput {
  return { level: 'command line', action, pattern, reason: 'test' };
}

const HOMES = `
2 1 8:1 / / rw - ext4 /dev/a rw
3 2 8:1 /srv/home /home rw - ext4 /dev/a rw
4 3 8:2 / /home/alice rw - ext4 /dev/b rw
5 4 8:1 /etc /home/alice/etc rw - ext4 /dev/a rw
`;

test('a disk that is mounted below a bind mount is no part of it, and what else is left out stays out', (t) => {
  const rules = rulesWith(HOMES, [written('exclude', '/home/alice/tmp')]);
  const id = (path: string, type?: 's'): string | undefined =>
    rules.decide(entry(path, type === undefined ? {} : { type }))?.id;
  t.is(id('/home/bob/file'), 'source:/home/**');
  t.is(id('/home/alicex'), 'source:/home/**');
  t.is(rules.decide(directory('/home/alice')), undefined);
  t.is(id('/home/alice/file'), undefined);
  t.is(id('/home/alice/tmp/file'), 'command line:/home/alice/tmp');
  t.is(id('/home/alice/socket', 's'), 'source:/**(s)');
  t.is(id('/home/alice/.wh.x'), 'source:/**/.wh.*');
  t.is(id('/home/alice/etc/passwd'), 'source:/home/alice/etc/**');
  const below = (path: string): boolean => rules.leavesOutBelow(byteStringFromText(path));
  t.deepEqual(['/home', '/home/alice', '/home/alice/x', '/home/bob', '/home/alice/etc'].map(below), [
    false,
    false,
    false,
    true,
    true,
  ]);
});

test('a bind mount is left out only where what it shows is taken', (t) => {
  const www = '2 1 8:1 / / rw - ext4 /dev/a rw\n3 2 8:1 /root/www /srv/www rw - ext4 /dev/a rw\n';
  t.is(rulesWith(www).decide(entry('/srv/www/index.html')), undefined);
  t.is(rulesWith(www).decide(entry('/root/www/index.html'))?.id, 'base:/root/**');
  const some = rulesWith(www, [written('include', '/**/*.html')]);
  t.is(some.decide(entry('/srv/www/logo.png')), undefined, 'what a rule takes in particular is not all');
  const taken = rulesWith(www, [written('include', '/root')]);
  t.is(taken.decide(entry('/srv/www/index.html'))?.id, 'source:/srv/www/**');

  const home = '2 1 8:1 / / rw - ext4 /dev/a rw\n3 2 8:1 /srv/home /home rw - ext4 /dev/a rw\n';
  const swapped = rulesWith(home, [written('exclude', '/srv/home'), written('include', '/home/**')]);
  t.is(swapped.decide(entry('/home/alice/file'))?.action, 'include');
  t.is(rulesWith(home).decide(entry('/home/alice/file'))?.id, 'source:/home/**');
});

test('of a disk that is shown as a whole, what is taken elsewhere is left out', (t) => {
  const rules = rulesWith(`
2 1 8:1 /deploy/0 / rw - xfs /dev/a rw
3 2 8:1 / /sysroot rw - xfs /dev/a rw
4 2 8:1 /deploy/0/usr /usr ro - xfs /dev/a rw
5 2 8:1 /var /var rw - xfs /dev/a rw
`);
  const id = (path: string): string | undefined => rules.decide(entry(path))?.id;
  t.deepEqual(['/usr/bin/ls', '/var/lib/x', '/sysroot/repo/x'].map(id), [undefined, undefined, undefined]);
  t.is(id('/sysroot/var/lib/x'), 'source:/sysroot/var/**');
  t.is(id('/sysroot/deploy/0/etc/passwd'), 'source:/sysroot/deploy/0/**');
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
