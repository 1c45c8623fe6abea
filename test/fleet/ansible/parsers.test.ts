import test from 'ava';
import fc from 'fast-check';
import { P2cError } from '../../../src/errors.ts';
import { expandHosts, HostPatternError } from '../../../src/fleet/ansible/host-pattern.ts';
import { readIni, shellWords } from '../../../src/fleet/ansible/ini.ts';
import { pythonValue } from '../../../src/fleet/ansible/python-literal.ts';
import { parseSshArguments } from '../../../src/fleet/ansible/ssh-arguments.ts';
import { filledIn } from '../../../src/fleet/ansible/template.ts';
import { Tree } from '../../../src/fleet/ansible/tree.ts';
import { type AnsibleValue, Unsafe } from '../../../src/fleet/ansible/value.ts';
import { readGroups, readVariables } from '../../../src/fleet/ansible/yaml.ts';
import { held } from '../../helpers/held.ts';

for (const [text, value] of [
  ['5', 5],
  ['-2.5e3', -2500],
  ['0x1f', 31],
  ['007', '007'],
  ['10.0.0.1', '10.0.0.1'],
  ['True', true],
  ['true', 'true'],
  ['None', null],
  ["'a b'", 'a b'],
  [`"it's"`, "it's"],
  [`'a\\'b\\n'`, "a'b\n"],
  ["[1, 'a', (True, None,)]", [1, 'a', [true, null]]],
  ["{'a': 1, 'b': [2]}", { a: 1, b: [2] }],
  ['[1, 2', '[1, 2'],
  ['yes', 'yes'],
  ["'open", "'open"],
  ['1 + 1', '1 + 1'],
  ['22  # comment', 22],
  ['text # comment', 'text # comment'],
  ['"a" u\'b\' "c"', 'abc'],
  ['"a" b', '"a" b'],
  ['1_000', 1000],
  ['1__0', '1__0'],
  ['0_7', '0_7'],
  ['', ''],
] as const) {
  test(`the value ${text}`, (t) => {
    t.deepEqual(pythonValue(text), value);
  });
}

for (const [word, names, port] of [
  ['web', ['web'], undefined],
  ['web:2222', ['web'], 2222],
  ['web[08:10].x', ['web08', 'web09', 'web10'].map((name) => `${name}.x`), undefined],
  ['db[a:e:2]-[1:2]', ['dba-1', 'dba-2', 'dbc-1', 'dbc-2', 'dbe-1', 'dbe-2'], undefined],
  ['n[:2]:22', ['n0', 'n1', 'n2'], 22],
  ['[fe80::1]:2222', ['fe80::1'], 2222],
  ['fe80::1', ['fe80::1'], undefined],
  ['10.0.0.[1:2]', ['10.0.0.1', '10.0.0.2'], undefined],
] as const) {
  test(`the hosts ${word}`, (t) => {
    t.deepEqual(expandHosts(word), { names: [...names], port });
  });
}

for (const word of [
  'web[1:',
  'web[1]',
  'web[01:100]',
  'web[b:a]',
  'web[1:9:0]',
  'w[1:99999999]',
  'a[1:999]b[1:999]',
  'h:0',
  '',
]) {
  test(`no hosts: ${word}`, (t) => {
    t.throws(() => expandHosts(word), { instanceOf: HostPatternError });
  });
}

test('words of a host line, as a shell sees them', (t) => {
  t.deepEqual(shellWords(`web a='b c' d="e\\"f" g=h\\ i # comment`), ['web', 'a=b c', 'd=e"f', 'g=h i']);
  t.deepEqual(shellWords("a=''"), ['a=']);
  t.is(shellWords("a='b"), undefined);
});

for (const [text, message] of [
  ['[web\nhost', /:1: .*host|\[web/],
  ['[web:what]\n', /:1: the section \[web:what\] is of no kind/],
  ['host key\n', /:1: word 2 is no variable/],
  ['[a:vars]\nx=1\n', /:1: there are variables of the group 'a', and no section \[a\]/],
  ['[a:children]\n\nb\n', /:3: the group 'a' has the child 'b', and no section/],
  ['[a]\n[a:vars]\nx\n', /:3: the line is no variable/],
  ["[a]\nh x='y\n", /:2: a quote is not closed/],
  ['[a:children]\nb\n[b:children]\na\n', /cannot be in/],
  ['[web:children]\nall\n', /'all' cannot be in 'web'/],
  ['web[1:\n', /:1: .*bracket/],
] as const) {
  test(`INI with a mistake: ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => readIni(text, 'hosts', new Tree()), { instanceOf: P2cError });
    t.is(error.exitCode, 2);
    t.regex(error.message, message);
  });
}

for (const [text, message] of [
  ['all: [a]\n', /:1:6: expected keys and values for the group 'all'/],
  ['all:\n  host:\n    a:\n', /:2:3: the group 'all' has 'host': only hosts, children and vars/],
  ['web:\n  hosts:\n    a[1: {}\n', /:3:5: .*bracket/],
  ['- a\n', /:1:1: expected groups/],
  ['web: { children: { all: } }\n', /'all' cannot be in 'web'/],
  ['a: &x { vars: { y: *x } }\n', /hosts\.yml:1/],
] as const) {
  test(`YAML with a mistake: ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => readGroups(text, 'hosts.yml', new Tree()), { instanceOf: P2cError });
    t.regex(error.message, message);
  });
}

test('YAML 1.1 is what Ansible reads', (t) => {
  const variables = readVariables('a: yes\nb: 0644\nc: !unsafe "{{ x }}"\nd: 2026-01-01\n', 'vars');
  t.deepEqual([variables.get('a'), variables.get('b'), variables.get('c')], [true, 0o644, new Unsafe('{{ x }}')]);
  t.is(typeof variables.get('d'), 'string');
});

test('options of ssh: the way over jump hosts, keys, and what is left aside', (t) => {
  const jump = (text: string) => parseSshArguments(text)?.jump;
  t.is(jump('-J ann@gate:2222'), 'ann@gate:2222');
  t.is(jump('-o ProxyJump=a,b -o StrictHostKeyChecking=no'), 'a,b');
  t.is(jump('-o ProxyJump=none'), 'none');
  t.is(jump('-o ProxyCommand=none'), 'none');
  t.is(jump('-o ProxyJump=first -o ProxyCommand="nc %h %p"'), 'first');
  t.is(jump(`-qo "ProxyCommand /usr/bin/ssh -qW %h:%p -o StrictHostKeyChecking=no gate"`), 'gate');
  t.is(jump(`-o ProxyCommand="ssh -W %h:%p -q -p 2200 -l ann gate"`), 'ann@gate:2200');
  t.deepEqual(parseSshArguments('-i /k -C -o StrictHostKeyChecking=no'), {
    jump: undefined,
    command: false,
    identity: ['/k'],
    ignored: ['-C', '-o StrictHostKeyChecking'],
  });
  t.is(parseSshArguments("-o 'x"), undefined);
});

test('a ProxyCommand that is more than a jump is the way, and no message has it', (t) => {
  for (const command of [
    'sshpass -p S3cret ssh -W %h:%p gate',
    'ssh gate nc %h %p',
    'ssh -i /k -W %h:%p gate',
    'ssh -J other -W %h:%p gate',
    'ssh -o ProxyCommand=x -W %h:%p gate',
    'ssh -W other:22 gate',
  ]) {
    for (const text of [`-o ProxyCommand="${command}" -C`, `-C -qo'ProxyCommand ${command}'`]) {
      t.like(parseSshArguments(text), { jump: undefined, command: true }, text);
      t.notRegex(JSON.stringify(parseSshArguments(text)), /S3cret/);
    }
  }
  const torn = parseSshArguments('-o ProxyCommand=sshpass -pS3cret --password S3cret -L S3cret:1:2 -oX=S3cret');
  t.notRegex(JSON.stringify(torn), /S3cret/);
});

test('templates are names, and what they lead to', (t) => {
  const values = new Map<string, AnsibleValue>([
    ['name', 'web1'],
    ['net', { domain: 'example', '{{': 'x' }],
    ['full', '{{ name }}.{{ net.domain }}'],
    ['round', '{{ about }}'],
    ['about', '{{ round }}'],
    ['open', new Unsafe('a{{b')],
  ]);
  const around = { lookup: (name: string) => values.get(name), where: 'ansible_host of web1' };
  const fill = (text: AnsibleValue) => filledIn(text, around);
  t.is(fill('{{ full }}'), 'web1.example');
  t.deepEqual(fill('{{net}}'), { domain: 'example', '{{': 'x' });
  t.is(fill('plain { text }'), 'plain { text }');
  t.is(fill('{{ open }}{{ name }}'), 'a{{bweb1');
  t.deepEqual(fill('{{ open }}'), new Unsafe('a{{b'));
  for (const text of ['{{ round }}', '{{ gone }}', '{{ name | upper }}', "{{ lookup('pipe', 'id') }}", '{% if x %}']) {
    t.throws(() => fill(text), { code: 'inventory.template' });
  }
});

test('any text is an inventory or an error of its own', (t) => {
  const line = fc.oneof(
    fc.constantFrom(
      '[a]',
      '[a:children]',
      '[a:vars]',
      'b',
      'h[1:3]',
      "x='",
      'k=v',
      'h k=[1',
      '[',
      ']',
      '#',
      'a: {hosts: {b: }}',
      '- x',
      '&a *a',
    ),
    fc.string({ maxLength: 12 }),
  );
  held(
    fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
      for (const read of [readIni, readGroups]) {
        try {
          read(lines.join('\n'), 'hosts', new Tree());
        } catch (error) {
          t.true(error instanceof P2cError, String(error));
        }
      }
    }),
    500,
  );
});

test('what is known of a tree is true after each group that comes later', (t) => {
  const tree = new Tree();
  const none = { groups: new Map(), hosts: new Map() };
  tree.host('web', 'a');
  tree.group('a').variables.set('x', 'a');
  t.deepEqual(tree.groupsOf('web'), ['a']);
  tree.addChild('top', 'a');
  tree.group('top').variables.set('x', 'top').set('y', 'top');
  t.deepEqual(tree.groupsOf('web').sort(), ['a', 'top']);
  tree.host('web', 'b');
  tree.complete();
  t.deepEqual(tree.groupsOf('web'), ['b', 'top', 'a']);
  t.deepEqual([tree.variablesOf('web', none).get('x'), tree.variablesOf('web', none).get('y')], ['a', 'top']);
  t.is(tree.sourceOf('web', 'y', none), 'the variables of the group top');
  t.deepEqual(tree.groupsOf('web'), ['b', 'top', 'a'], 'asking changes nothing');
});
