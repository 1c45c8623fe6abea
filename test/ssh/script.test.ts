/** Quoting and the command line of a script, with real shells as the judges: the account's may be any of these. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { byteString } from '../../src/printable.ts';
import { elevationBy, passwordInput } from '../../src/ssh/become.ts';
import { quote, quoteAll, quotePath } from '../../src/ssh/quote.ts';
import { commandLine } from '../../src/ssh/script.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const NASTY = [
  '',
  ' ',
  "it's",
  '"',
  '\\',
  '\\n',
  '\n',
  'a\nb\n\nc',
  '$HOME',
  '$(id)',
  '`id`',
  '!!',
  '!id',
  '*',
  '~root',
  '-n',
  '%s%b%%',
  '#',
  'a;b|c&d<e>f',
  '\t\r\v\f\x1b[31m',
  'ä€😀',
  "\\'\\\\'",
  '{a,b}',
  '[a-z]',
  '\\0101',
];

test('a quoted word is one word for sh', (t) => {
  for (const word of NASTY) {
    const stdout = execFileSync('sh', ['-c', `printf %s ${quote(word)}`]);
    t.is(stdout.toString(), word, JSON.stringify(word));
  }
  t.is(
    execFileSync('sh', ['-c', `printf '<%s>' ${quoteAll(NASTY)}`]).toString(),
    NASTY.map((word) => `<${word}>`).join(''),
  );
  t.throws(() => quote('a\0b'), { code: 'quote.nul' });
});

test('any text is one word for sh', (t) => {
  const words = fc.array(fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0')));
  fc.assert(
    fc.property(words, (list) => {
      const stdout = execFileSync('sh', ['-c', `for word do printf '%s\\0' "$word"; done`, 'sh', ...list]);
      const quoted = execFileSync('sh', ['-c', `for word in ${quoteAll(list)}; do printf '%s\\0' "$word"; done`]);
      return stdout.equals(quoted);
    }),
    { numRuns: 50 },
  );
  t.pass();
});

test('a quoted path holds its bytes, also those that are not UTF-8', (t) => {
  const all = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1));
  for (const bytes of [
    all,
    Buffer.from('/a b'),
    Buffer.from([0x2f, 0xff, 0x27, 0x24, 0x61]),
    Buffer.from('/é\n'),
    Buffer.from([0x2f, 0xff, 0x0a, 0x0a]),
  ]) {
    const stdout = execFileSync('sh', ['-c', `printf %s ${quotePath(byteString(bytes))}`]);
    t.deepEqual(stdout, bytes);
  }
});

/** Login shells, each called as sshd calls it: `SHELL -c COMMAND`. */
const SHELLS: readonly (readonly [string, ...string[]])[] = [
  ['sh'],
  ['bash'],
  ['dash'],
  ['busybox', 'sh'],
  ['csh'],
  ['tcsh'],
  ['fish', '--no-config'],
];

for (const [program, ...words] of SHELLS) {
  test(`scripts arrive unchanged through ${[program, ...words].join(' ')}`, (t) => {
    if (!requirePrograms(t, [program])) return;
    const through = (script: string, input?: string): { out: string; code: number | null } => {
      const { stdout, status } = spawnSync(program, [...words, '-c', commandLine(script, input !== undefined)], {
        input: input ?? 'not for the script',
        env: { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'en_US.UTF-8' },
      });
      return { out: stdout.toString(), code: status };
    };
    t.deepEqual(through(`printf '<%s>' ${quoteAll(NASTY)}; exit 7`), {
      out: NASTY.map((word) => `<${word}>`).join(''),
      code: 7,
    });
    t.deepEqual(through('echo $LC_ALL'), { out: 'C\n', code: 0 });
    t.deepEqual(through('cat; exit 4', 'from standard input'), { out: 'from standard input', code: 4 });
    t.deepEqual(through('cat; exit 4'), { out: '', code: 4 });
    t.deepEqual(through('# comment\ncase a in\n a) echo "yes" ;;\nesac\nkill -9 $$').out, 'yes\n');
    t.deepEqual(through('cat <<END\n$((1 + 2)) \\$x `echo y`\nEND'), { out: '3 $x y\n', code: 0 });
    t.deepEqual(
      through('echo "$PATH" | tr : "\\n" | grep -c "^/sbin$"; echo "[$#]"').out.split('\n').at(0) !== '0',
      true,
    );
  });
}

/** What stands for sudo, su or doas: runs what it is told, and takes a password from its input where it asks for one. */
const BECOMES = [
  ['sudo', '#!/bin/sh\nIFS= read -r p; [ "$p" = "s3 \'cr\\et" ] || exit 9\nshift 3\nexec "$@"\n'],
  ['sudo', '#!/bin/sh\nshift 3\nexec "$@"\n'],
  ['su', '#!/bin/sh\nprintf "Password: " >&2; IFS= read -r p\ncmd=$4; shift 5\nexec /bin/sh -c "$cmd" "$@"\n'],
] as const;

for (const [program, ...words] of SHELLS) {
  test(`with a password, input and messages are the script's own through ${[program, ...words].join(' ')}`, async (t) => {
    if (!requirePrograms(t, [program])) return;
    for (const [method, text] of BECOMES) {
      const folder = await temporaryFolder(t);
      await writeFile(join(folder, method), text, { mode: 0o755 });
      const elevation = elevationBy(method, new Secret("s3 'cr\\et"));
      const through = (script: string, input?: string) => {
        const line = commandLine(script, input !== undefined, elevation);
        t.false(line.includes('cr'), 'the password is no word of the command');
        const { stdout, stderr, status } = spawnSync(program, [...words, '-c', line], {
          input: `${passwordInput(elevation)}${input ?? ''}`,
          env: { PATH: `${folder}:${process.env['PATH']}`, HOME: '/nonexistent' },
        });
        const err = stderr.toString();
        t.true(err.includes(elevation.marker), err);
        return {
          out: stdout.toString(),
          err: err.slice(err.indexOf(elevation.marker) + elevation.marker.length + 1),
          status,
        };
      };
      t.deepEqual(through('cat; echo bye >&2; exit 4', 'first\nsecond'), {
        out: 'first\nsecond',
        err: 'bye\n',
        status: 4,
      });
      t.deepEqual(through(`printf '<%s>' ${quoteAll(NASTY)}; cat; exit 7`), {
        out: NASTY.map((word) => `<${word}>`).join(''),
        err: '',
        status: 7,
      });
    }
  });
}

test('a script of 60 KiB still fits into one argument', (t) => {
  const script = `: '${'x'.repeat(60_000)}'\necho done`;
  t.is(execFileSync('sh', ['-c', commandLine(script, false)]).toString(), 'done\n');
});

test('sudo and doas are asked for no password where they need none', (t) => {
  t.regex(commandLine('id', false, elevationBy('sudo')), /^exec sudo -n sh -c /);
  t.regex(commandLine("echo '!'", true, elevationBy('sudo')), /^exec sudo -n sh -c /);
  t.regex(commandLine('id', true, elevationBy('doas')), /^exec doas -n sh -c /);
  t.notRegex(commandLine('id', false), /sudo/);
});
