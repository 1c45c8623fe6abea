import test from 'ava';
import fc from 'fast-check';
import { P2cError } from '../../src/errors.ts';
import type { Entry } from '../../src/listing/entry.ts';
import { parsePattern } from '../../src/listing/pattern.ts';
import { type RuleInput, RuleSet } from '../../src/listing/rules.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { directory, entry } from '../helpers/entries.ts';
import { held } from '../helpers/held.ts';

const matches = test.macro({
  exec(t, pattern: string, yes: readonly string[], no: readonly string[]) {
    const parsed = parsePattern(pattern);
    const at = (path: string): Entry =>
      path.endsWith('/') && path !== '/' ? directory(path.slice(0, -1)) : entry(path);
    for (const path of yes) t.true(parsed.matches(at(path)), `${pattern} matches ${path}`);
    for (const path of no) t.false(parsed.matches(at(path)), `${pattern} does not match ${path}`);
  },
  title: (_, pattern) => `pattern ${pattern}`,
});

test(matches, '/root', ['/root', '/root/x', '/root/x/y'], ['/rootx', '/opt/root', '/opt/app/root/x', '/']);
test(matches, '/dev/**', ['/dev/null', '/dev/pts/0'], ['/dev', '/opt/dev/x', '/device']);
test(matches, '/opt/cache/', ['/opt/cache/', '/opt/cache/x'], ['/opt/cache', '/opt/cachex/']);
test(matches, '/opt/*/cache/**', ['/opt/a/cache/x'], ['/opt/a/b/cache/x', '/opt/a/cache', '/opt/cache/x']);
test(matches, '/**/core', ['/core', '/a/core', '/a/b/core', '/a/core/x'], ['/acore', '/a/corex']);
test(matches, '/**/lost+found/**', ['/lost+found/x', '/data/lost+found/#12'], ['/lost+found', '/data/lostfound/x']);
test(matches, '/a/**/b', ['/a/b', '/a/x/b', '/a/x/y/b'], ['/ab', '/a/bc']);
test(matches, '/log.?', ['/log.1', '/log.ü', '/log.\n'], ['/log.', '/log.12', '/logx1', '/log./']);
test(matches, '/[a-c][!0-9]', ['/ab', '/c-'], ['/a1', '/db', '/a/']);
test(matches, '/a\\*b', ['/a*b'], ['/axb']);
test(matches, '/a(b)+|c', ['/a(b)+|c'], ['/abb', '/c']);
test(matches, '/ümläut', ['/ümläut', '/ümläut/x'], ['/umlaut']);
test(matches, '/', ['/', '/x', '/x/y'], []);
test(matches, '/**', ['/x', '/x/y'], ['/']);
test(matches, '/**/**', ['/x', '/x/y'], ['/']);

const refused = test.macro({
  exec(t, pattern: string, message: RegExp, hint?: RegExp) {
    const error = t.throws(() => parsePattern(pattern), { message, instanceOf: P2cError });
    if (hint !== undefined) t.regex(error?.hint ?? '', hint);
  },
  title: (_, pattern) => `refuses the pattern ${JSON.stringify(pattern)}`,
});

test(refused, 'root', /does not begin with '\/'/, /^write '\/root' or '\/\*\*\/root'$/);
test(refused, '', /is empty/);
test(refused, '/a//b', /two slashes/, /^write '\/a\/b'$/);
test(refused, '/a/../b', /'\.\.' component/, /^write '\/b'$/);
test(refused, '/a**', /'\*\*' within a component/);
test(refused, '/[a', /without its '\]'/);
test(refused, '/[z-a]', /backwards/);
test(refused, '/a\\', /backslash/);
test(refused, '/a\0b', /NUL/);

/** Plain and slow: components against components, by recursion. */
function reference(pattern: readonly string[], path: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return true;
  if (head === '**') return path.some((_, i) => reference(rest, path.slice(i))) || reference(rest, []);
  const [name, ...below] = path;
  if (name === undefined) return false;
  return glob(head, name) && reference(rest, below);
}

function glob(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern.startsWith('*')) return glob(pattern.slice(1), name) || (name !== '' && glob(pattern, name.slice(1)));
  if (name === '') return false;
  return (pattern.startsWith('?') || pattern.charAt(0) === name.charAt(0)) && glob(pattern.slice(1), name.slice(1));
}

test('patterns agree with a plain reference matcher', (t) => {
  const name = fc
    .string({ unit: fc.constantFrom('a', 'b', '.', '+'), minLength: 1, maxLength: 3 })
    .filter((text) => text !== '.' && text !== '..');
  const piece = fc
    .string({ unit: fc.constantFrom('a', 'b', '.', '+', '*', '?'), minLength: 1, maxLength: 3 })
    .filter((text) => text !== '.' && text !== '..' && !text.includes('**'));
  const pattern = fc.array(fc.oneof({ weight: 4, arbitrary: piece }, { weight: 1, arbitrary: fc.constant('**') }), {
    minLength: 1,
    maxLength: 4,
  });
  held(
    fc.property(pattern, fc.array(name, { minLength: 1, maxLength: 5 }), (parts, path) => {
      fc.pre(parts.at(-1) !== '**');
      t.is(
        parsePattern(`/${parts.join('/')}`).matches(entry(`/${path.join('/')}`)),
        reference(parts, path),
        `/${parts.join('/')} /${path.join('/')}`,
      );
    }),
    2000,
  );
});

test('the first level that speaks decides, and in a level the more specific rule', (t) => {
  const rules = new RuleSet([
    { level: 'base', action: 'exclude', pattern: '/root/**', reason: 'base' },
    { level: 'command line', action: 'include', pattern: '/root/keep', reason: 'asked' },
    { level: 'command line', action: 'exclude', pattern: '/root/keep/cache', reason: 'asked' },
    { level: 'source', action: 'exclude', pattern: '/**', type: 's', reason: 'socket' },
  ]);
  const decide = (path: string, type: Entry['type'] = 'f') => rules.decide(entry(path, { type }))?.id;
  t.is(decide('/root/x'), 'base:/root/**');
  t.is(decide('/root/keep/x'), 'command line:+/root/keep');
  t.is(decide('/root/keep/cache/x'), 'command line:/root/keep/cache');
  t.is(decide('/root/keep/socket', 's'), 'source:/**(s)');
  t.is(decide('/etc/passwd'), undefined);
});

test('a directory below which nothing is taken is told from one of which something may be', (t) => {
  const exclude = (pattern: string, more: Partial<RuleInput> = {}): RuleInput => ({
    level: 'base',
    action: 'exclude',
    pattern,
    reason: 'test',
    ...more,
  });
  const include = (pattern: string): RuleInput => exclude(pattern, { level: 'profile', action: 'include' });
  const leaves = (path: string, ...rules: RuleInput[]): boolean =>
    new RuleSet(rules).leavesOutBelow(byteStringFromText(path));
  for (const pattern of ['/srv/a/**', '/srv/a', '/srv/a/', '/srv/**', '/srv', '/', '/**', '/*/a/**', '/**/a'])
    t.true(leaves('/srv/a', exclude(pattern)), pattern);
  for (const pattern of ['/srv/a/x', '/srv/a/*', '/srv/a/**/x', '/srv/b/**', '/srv/a?/**', '/sr'])
    t.false(leaves('/srv/a', exclude(pattern)), pattern);
  t.false(leaves('/srv/a', exclude('/srv/a/**', { type: 'f' })));
  t.false(leaves('/srv/a'));
  for (const back of ['/srv/a/x', '/srv/a', '/srv', '/', '/**/x', '/srv/*/x', '/srv/a*'])
    t.false(leaves('/srv/a', exclude('/srv/a/**'), include(back)), `${back} brings something back`);
  for (const other of ['/srv/b', '/srv/b/**', '/opt/*'])
    t.true(leaves('/srv/a', exclude('/srv/a/**'), include(other)), `${other} does not`);
  t.true(leaves('/srv/a', exclude('/srv/a/**'), { ...include('/srv/**'), level: 'base' }), 'the more specific wins');
  const rules = new RuleSet([exclude('/srv/a/**', { level: 'command line' })]);
  t.true(rules.leavesOutBelow(byteStringFromText('/srv/a')));
  t.deepEqual(rules.unused, [], 'a rule that decided is in use');
  const later = new RuleSet(['/srv/a/**', '/srv/b/**'].map((pattern) => exclude(pattern, { level: 'command line' })));
  later.addUseOf(rules);
  t.deepEqual(
    later.unused.map(({ pattern }) => pattern),
    ['/srv/b/**'],
  );
});

test('a rule decides for just what its pattern matches, in whatever order the paths come', (t) => {
  const component = fc.constantFrom('a', 'b', 'ab', '*', '?', '[ab]', '**');
  const pattern = fc
    .tuple(fc.array(component, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/**', '/'))
    .filter(([components, end]) => components.at(-1) !== '**' || end === '/**')
    .map(([components, end]) => `/${components.join('/')}${end}`);
  const name = fc.constantFrom('a', 'b', 'ab', 'c');
  const path = fc.array(name, { maxLength: 4 }).map((names) => byteStringFromText(`/${names.join('/')}`));
  fc.assert(
    fc.property(pattern, fc.array(fc.tuple(path, fc.boolean()), { maxLength: 12 }), (text, entries) => {
      const set = new RuleSet([{ level: 'profile', action: 'exclude', pattern: text, reason: 'test' }]);
      const plain = parsePattern(text);
      return entries.every(([at, isDirectory]) => {
        const each = isDirectory ? directory(at) : entry(at);
        return (set.decide(each) !== undefined) === plain.matches(each);
      });
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

test('what lies below a directory that is left out is left out, whatever its name', (t) => {
  const component = fc.constantFrom('a', 'b', 'ab', '*', '?', '[ab]', '**');
  const pattern = fc.tuple(fc.array(component, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/**', '/'));
  const rule = fc.record({
    level: fc.constantFrom('command line' as const, 'profile' as const),
    action: fc.constantFrom('exclude' as const, 'include' as const),
    pattern: pattern
      .filter(([components, end]) => components.at(-1) !== '**' || end === '/**')
      .map(([components, end]) => `/${components.join('/')}${end}`),
    reason: fc.constant('test'),
  });
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), path, path, (rules, above, below) => {
      const set = new RuleSet(rules);
      const directoryPath = byteStringFromText(`/${above.join('/')}`);
      if (!set.leavesOutBelow(directoryPath)) return true;
      return set.decide(entry(`${directoryPath}/${below.join('/')}`))?.action === 'exclude';
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
