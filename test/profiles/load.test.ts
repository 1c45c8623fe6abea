import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { type EntryType, isEntryType } from '../../src/listing/entry.ts';
import { RuleSet } from '../../src/listing/rules.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { profileJsonSchema } from '../../src/profiles/json-schema.ts';
import { baseRules, listProfiles, loadProfile, profileFile, profileNames } from '../../src/profiles/load.ts';
import { stepLine } from '../../src/profiles/steps.ts';

const PROFILES = fileURLToPath(new URL('../../profiles/', import.meta.url));

function fileOf(t: ExecutionContext, text: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'p2c-profile-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'own.yaml');
  writeFileSync(file, text);
  return file;
}

function failure(t: ExecutionContext, nameOrFile: string): P2cError {
  const error = t.throws(() => loadProfile(nameOrFile), { instanceOf: P2cError });
  t.is(error.exitCode, 2);
  return error;
}

/** The mistakes as `line:column: message`. */
const mistakes = test.macro((t, text: string, expected: string[]) => {
  const file = fileOf(t, text);
  const error = failure(t, file);
  t.is(error.code, 'profile.invalid');
  const lines = error.message.split('\n').filter((line) => line.startsWith(`${file}:`));
  t.deepEqual(
    lines.map((line) => line.slice(file.length + 1)),
    expected,
  );
});

test('every shipped profile loads, bears the name of its file, and its steps are shell', (t) => {
  const files = readdirSync(PROFILES).filter((file) => file.endsWith('.yaml') && file !== 'base.yaml');
  t.deepEqual(profileNames(), files.map((file) => file.replace('.yaml', '')).sort());
  for (const profile of listProfiles()) {
    t.true(files.includes(`${profile.name}.yaml`));
    for (const step of profile.stop) t.notThrows(() => execFileSync('sh', ['-n', '-c', stepLine('stop', step)]));
    for (const step of profile.start) t.notThrows(() => execFileSync('sh', ['-n', '-c', stepLine('start', step)]));
  }
  t.true(loadProfile('websphere-6').documented);
  t.false(loadProfile('nginx').documented);
  t.deepEqual(loadProfile('nginx').command, ['nginx', '-g', 'daemon off;']);
  t.deepEqual(loadProfile('websphere-6').volumes, [{ path: '/opt/IBM', capture: 'image' }]);
});

test('the JSON Schema for editors is that of the code', (t) => {
  // Made by: npx tsx scripts/profile-schema.ts && npx biome format --write profiles/profile.schema.json
  const shipped: unknown = JSON.parse(readFileSync(join(PROFILES, 'profile.schema.json'), 'utf8'));
  t.deepEqual(shipped, JSON.parse(profileJsonSchema()));
});

test('a path is a file, a name is a shipped profile, and a wrong name is answered with the nearest', (t) => {
  t.is(loadProfile(profileFile('nginx')).name, 'nginx');
  const error = failure(t, 'ngnix');
  t.is(error.code, 'profile.unknown');
  t.regex(error.hint ?? '', /did you mean 'nginx'\? known: apache-httpd, bind, cron, .*, websphere-6/);
  t.is(failure(t, 'base').code, 'profile.unknown');
  t.is(failure(t, '../profiles/nginx').code, 'profile.missing');
  t.is(failure(t, './nope.yml').code, 'profile.missing');
});

test('a generic profile is for a service that its user names', (t) => {
  const shop = loadProfile('generic-sysv:shop');
  t.is(shop.name, 'generic-sysv:shop');
  t.is(shop.stop[0]?.run, '/etc/init.d/shop stop');
  t.deepEqual(shop.start[0]?.up?.command, ['/etc/init.d/shop status']);
  t.deepEqual(shop.detect, { process: [], path: [], package: [], service: [], port: [] });
  for (const [name, hint] of [
    ['generic-sysv', /--profile generic-sysv:SERVICE/],
    ['nginx:shop', /--profile nginx$/],
    ['generic-sysv:', undefined],
    ['generic-sysv:a b', undefined],
    ['generic-sysv:$(reboot)', undefined],
  ] as const) {
    const error = failure(t, name);
    t.is(error.code, 'profile.service');
    if (hint !== undefined) t.regex(error.hint ?? '', hint);
  }
});

test('everything a profile may say', (t) => {
  const profile = loadProfile(
    fileOf(
      t,
      `
name: all
detect: { process: [x, { name: java, argument: a b }], port: 53/udp, service: x, package: [x], path: /x }
stop:
  - { run: 'x -s', user: oracle, env: { A: 1, B: 'x y' }, timeout: 1m30s, down: { process: x, port: [80, '53/udp'], command: 'true' } }
  - { service: [a, b] }
start: [{ run: x }]
exclude: [/a/**, { path: /b/, reason: r, type: socket }]
include: [/c]
volumes: [/v, { path: /w, capture: image }, { path: /db/, capture: volume }]
ports: [80, 53/udp]
requires: [db]
after: [mysql, 'generic-sysv:shop']
command: [x, '-y']
env: { N: 5, T: true }
limits: { nofile: 1024:4096, memlock: -1, nproc: unlimited, shm: 1g, memory: 512MiB, cpus: 1.5 }
health: [{ tcp: 80 }, { http: 'http://localhost/', timeout: 5s }, { command: 'true' }]
`,
    ),
  );
  t.deepEqual(profile.detect.process, [{ name: 'x' }, { name: 'java', argument: 'a b' }]);
  t.deepEqual(profile.detect.port, [{ port: 53, protocol: 'udp' }]);
  t.is(profile.stop[0]?.timeout, 90_000);
  t.deepEqual(profile.stop[0]?.env, { A: '1', B: 'x y' });
  t.is(profile.stop[1]?.timeout, 60_000);
  t.deepEqual(profile.exclude, [
    { path: '/a/**', reason: 'the profile says so', type: undefined },
    { path: '/b/', reason: 'r', type: 's' },
  ]);
  t.deepEqual(profile.volumes, [
    { path: '/v', capture: 'image' },
    { path: '/w', capture: 'image' },
    { path: '/db/', capture: 'volume' },
  ]);
  t.deepEqual(profile.limits, {
    nofile: { soft: 1024, hard: 4096 },
    memlock: { soft: -1, hard: -1 },
    nproc: { soft: -1, hard: -1 },
    shm: 1024 ** 3,
    memory: 512 * 1024 ** 2,
    cpus: 1.5,
  });
  t.deepEqual(profile.env, { N: '5', T: 'true' });
});

test(
  'all mistakes at once, each at its place',
  mistakes,
  `name: Bad Name
titel: x
detect:
  proces: foo
  port: [80, 99999, '53/udp']
stop:
  - run: x
    servce: y
    timeout: 60
  - run: a
    service: b
    down: {}
start:
  - run: 5
exclude:
  - tmp/x
  - { path: /a/../b, reason: z, type: sockte }
  - 7
env: { 'A-B': 1, C: [1] }
health:
  - http: 5
  - tpc: 80
limits: { nofile: abc, shm: lots }
`,
  [
    '1:7: name: must be of small letters, digits, dots and dashes',
    "2:1: unknown key 'titel' (did you mean 'title'?)",
    "4:3: detect: unknown key 'proces' (did you mean 'process'?)",
    "5:14: detect.port[1]: '99999' is no port: write 80 or '53/udp'",
    "8:5: stop[0]: unknown key 'servce' (did you mean 'service'?)",
    "9:14: stop[0].timeout: '60' is no duration: write '30s', '2m' or '1h30m'",
    "10:5: stop[1]: a step has either 'run' or 'service'",
    '12:11: stop[1].down: names no process, port or command',
    '14:10: start[0].run: expected a text, found number 5',
    "16:5: exclude[0]: the pattern 'tmp/x' does not begin with '/'",
    "17:13: exclude[1].path: the pattern '/a/../b' has a '..' component",
    "17:39: exclude[1].type: expected 'file' or 'directory' or 'symlink' or 'socket' or 'fifo' or 'block-device' or 'character-device', found 'sockte' (did you mean 'socket'?)",
    '18:5: exclude[2]: expected keys and values or a text, found number 7',
    '19:8: env.A-B: is not the name of a variable',
    '19:21: env.C: expected a text or a number or true or false, found a list',
    '21:11: health[0].http: expected a text, found number 5',
    '22:5: health[1].tcp: is missing',
    "22:5: health[1]: unknown key 'tpc' (did you mean 'tcp'?)",
    '23:19: limits.nofile: is not SOFT or SOFT:HARD',
    "23:29: limits.shm: 'lots' is no size: write '512m' or '1g'",
  ],
);
test('a stop without a start', mistakes, 'name: x\nstop: [{ run: x, down: { port: 1 } }]\n', [
  "2:7: stop: there are stop steps but no 'start': the server would stay down",
]);
test('a start without a stop', mistakes, 'name: x\nstart: [{ run: x }]\n', [
  "2:8: start: there are start steps but no 'stop'",
]);
test('a stop that nothing can check', mistakes, 'name: x\nstop: [{ run: x }]\nstart: [{ run: x }]\n', [
  "2:7: stop: no step has a 'down' check: nothing tells whether the application runs",
]);
test('no name', mistakes, 'title: x\n', ['1:1: name: is missing']);
test('broken syntax', mistakes, 'name: x\nstop: [{ run: x }\nenv: {\n', [
  '3:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
  '4:1: Flow map in block collection must be sufficiently indented and end with a }',
]);
test('a key given twice', mistakes, 'name: x\nenv:\n  A: 1\n  A: 2\n', ["4:3: the key 'A' is there twice"]);
test('a tag that would make other types', mistakes, 'name: !!js/function x\n', [
  '1:7: Unresolved tag: tag:yaml.org,2002:js/function',
]);
test('two documents', mistakes, 'name: x\n---\nname: y\n', [
  '2:1: Source contains multiple documents; please use YAML.parseAllDocuments()',
]);
test('control characters are refused', mistakes, 'name: x\ntitle: "a\\e[2Jb"\n', [
  '2:8: title: holds control characters',
]);
test('a key with an escape sequence is shown harmless', mistakes, 'name: x\n"\\e[2J": 1\n', [
  "2:1: unknown key '\\x1b[2J'; known here: name, title, description, documented, detect, requires, after, stop, start, exclude, include, volumes, ports, command, env, limits, health",
]);
test('__proto__ is a key like any other', mistakes, 'name: x\n__proto__: { polluted: 1 }\n', [
  "2:1: unknown key '__proto__'; known here: name, title, description, documented, detect, requires, after, stop, start, exclude, include, volumes, ports, command, env, limits, health",
]);
test('not a map', mistakes, '- a\n', ['1:1: expected keys and values, found a list']);

test('aliases that multiply are refused before they fill the memory', (t) => {
  const levels = Array.from(
    { length: 12 },
    (_, n) =>
      `l${n}: &l${n} [${Array(10)
        .fill(n === 0 ? 'x' : `*l${n - 1}`)
        .join(', ')}]`,
  );
  const error = failure(t, fileOf(t, `name: x\n${levels.join('\n')}\n`));
  t.is(error.code, 'profile.invalid');
  t.regex(error.message, /cannot be expanded|nested/);
});

test('aliases that serve an author work, and a mistake behind one is found', (t) => {
  const steps = 'down: &here { process: x }';
  const good = `name: x\nstop: [{ run: a, ${steps} }]\nstart: [{ run: b, up: *here }]\n`;
  t.deepEqual(loadProfile(fileOf(t, good)).start[0]?.up?.process, [{ name: 'x' }]);
  const bad = good.replace('process: x', 'proces: x');
  t.regex(failure(t, fileOf(t, bad)).message, /:2:32: stop\[0\]\.down: unknown key 'proces'/);
});

test('what is nested too deeply, too large or no text is refused', (t) => {
  t.regex(failure(t, fileOf(t, `name: ${'['.repeat(5000)}`)).message, /./);
  t.regex(failure(t, fileOf(t, `name: ${'['.repeat(60)}${']'.repeat(60)}`)).message, /nested too deeply/);
  t.regex(failure(t, fileOf(t, `name: x\n# ${'x'.repeat(1024 * 1024)}\n`)).message, /larger than 1024 KiB/);
  t.regex(failure(t, fileOf(t, Uint8Array.from([0x6e, 0xff, 0xfe]))).message, /not UTF-8/);
});

test('hundreds of mistakes do not flood the terminal', (t) => {
  const text = `name: x\n${Array.from({ length: 300 }, (_, n) => `k${n}: 1\n`).join('')}`;
  const lines = failure(t, fileOf(t, text)).message.split('\n');
  t.is(lines.length, 52);
  t.regex(lines.at(-1) ?? '', /and 250 more/);
});

test('the base rules leave out what they name and nothing that looks like it', (t) => {
  const rules = new RuleSet(
    baseRules().map((rule) => ({ ...rule, level: 'base' as const, action: 'exclude' as const })),
  );
  const decide = (path: string, type: EntryType = 'f'): boolean =>
    rules.decide({ ...ENTRY, path: byteStringFromText(path), type }) === undefined;
  const out = [
    '/proc/1',
    '/dev/sda',
    '/run/x/y',
    '/boot/vmlinuz',
    '/lib/modules/6/x.ko',
    '/root/.ssh/id',
    '/data/lost+found/a',
    '/lost+found/a',
    '/var/run/nginx.pid',
    '/var/lib/p2c-lease.log',
    '/.snapshots/12/snapshot/etc/passwd',
    '/home/.snapshots/1/snapshot/joe',
  ];
  for (const path of out) t.false(decide(path), path);
  const kept = [
    '/usr/include/sys/types.h',
    '/srv/boot/x',
    '/home/root/x',
    '/opt/dev/x',
    '/lib/modules-load.d/x',
    '/mnt/data/x',
    '/var/spool/postfix/maildrop/1',
    '/tmp/x',
    '/var/cache/apt/archives/x.deb',
    '/.snapshots/daily.0/etc/passwd',
    '/home/joe/.snapshots/photo',
  ];
  for (const path of kept) t.true(decide(path), path);
  const folders = [
    '/proc',
    '/dev',
    '/run',
    '/boot',
    '/root',
    '/lib/modules',
    '/lost+found',
    '/var/run/mysqld',
    '/var/lock/subsys',
    '/.snapshots/12/snapshot',
  ];
  for (const path of folders) t.true(decide(path, 'd'), path);
  t.false(decide('/var/spool/postfix/public/showq', 's'));
  t.true(baseRules().every((rule) => rule.reason.length > 10 && (rule.type === undefined || isEntryType(rule.type))));
});

const ENTRY = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  blocks: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  ctime: { seconds: 0, nanoseconds: 0 },
  device: 1,
  inode: 1,
  links: 1,
  target: byteStringFromText(''),
};

test(
  'what cannot be a volume is not captured as one',
  mistakes,
  `name: x
volumes: [{ path: /, capture: volume }, { path: /./proc/x, capture: volume }, { path: /dev, capture: volume }, { path: /process, capture: volume }]
`,
  [
    '2:19: volumes[0].path: cannot be captured as a volume: the root, /proc, /sys and /dev are no volumes',
    '2:49: volumes[1].path: cannot be captured as a volume: the root, /proc, /sys and /dev are no volumes',
    '2:87: volumes[2].path: cannot be captured as a volume: the root, /proc, /sys and /dev are no volumes',
  ],
);
