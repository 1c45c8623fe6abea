import { execFileSync } from 'node:child_process';
import test from 'ava';
import { mappedFiles, parseMappedFiles } from '../../src/source/mapped-files.ts';
import { localSession } from '../helpers/local-session.ts';

test('names come back as they are, and those of files that are gone are passed over', (t) => {
  const said = '/var/lib/db/data\n/with space\n/new\\012line\n/tmp/x (deleted)\n';
  t.deepEqual(parseMappedFiles(Buffer.from(said)) as string[], ['/var/lib/db/data', '/with space', '/new\nline']);
});

test('of a maps file the shared and writable mappings of files are taken, and no others', async (t) => {
  const session = localSession();
  let script = '';
  await mappedFiles({
    ...session,
    run: async (command) => {
      script = command.script;
      return { code: 0, stdout: Buffer.from('p2c-cat 0\n'), stderr: '', durationMs: 0 };
    },
  });
  const maps = `7f0000000000-7f0000001000 rw-s 00000000 08:01 12345                      /var/lib/db/data file
7f0000002000-7f0000003000 rw-p 00000000 08:01 12346                      /usr/lib/private.so
7f0000004000-7f0000005000 r--s 00000000 08:01 12347                      /usr/share/read-only
7f0000006000-7f0000007000 rw-s 00000000 00:01 2                          /dev/zero (deleted)
7f0000008000-7f0000009000 -w-s 00001000 08:01 12348                      /write-only
7f000000a000-7f000000b000 rw-p 00000000 00:00 0                          [heap]
`;
  const filter = script.slice(script.indexOf('sed'));
  const said = execFileSync('sh', ['-c', filter], { input: maps });
  t.deepEqual(parseMappedFiles(said) as string[], ['/var/lib/db/data file', '/write-only']);
});

test('a server that cannot tell has not said that there are none', async (t) => {
  const session = localSession();
  const run: typeof session.run = (command) => session.run({ ...command, script: `PATH=/nowhere; ${command.script}` });
  await t.throwsAsync(mappedFiles({ ...session, run }), { message: /\(exit code 127\)/ });
});

test('what was killed half way has not told of all', async (t) => {
  const session = localSession();
  const maps = "printf '7f-80 rw-s 0 08:01 1 /data\\n'";
  const told = (script: string): ReturnType<typeof mappedFiles> =>
    mappedFiles({
      ...session,
      run: (command) => session.run({ ...command, script: `cat() { ${maps}; ${script}; }\n${command.script}` }),
    });
  await t.throwsAsync(told('return 137'), { code: 'source.mapped', message: /\(exit code 137\)/ });
  await t.throwsAsync(told('exit 137'), { code: 'source.mapped' });
  t.deepEqual([...(await told('return 1'))].map(String), ['/data'], 'a process that ended meanwhile');
});
