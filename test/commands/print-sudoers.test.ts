import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('the lines are for the user that would log in, and nothing is connected to', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const file = join(await temporaryFolder(t), 'config');
  await writeFile(file, 'Host old\n HostName nowhere.invalid\n User ann\n');
  const plain = await cli(['inspect', 'old', '-F', file, '--print-sudoers']);
  t.is(plain.code, 0, plain.stderr);
  t.regex(plain.stdout, /^# .*\nDefaults:ann !requiretty\nann ALL=\(root\) NOPASSWD: \/bin\/sh\n$/);
  const json = await cli(['inspect', 'bob@old', '-F', file, '--print-sudoers', '--become', 'sudo', '--json']);
  t.is(JSON.parse(json.stdout).user, 'bob');
  t.regex(JSON.parse(json.stdout).sudoers[2], /^bob ALL=\(root\) PASSWD: /);
  for (const become of ['su', 'doas']) {
    const other = await cli(['inspect', 'bob@old', '-F', file, '--print-sudoers', '--become', become]);
    t.is(other.code, 2);
    t.is(other.stdout, '');
    t.regex(other.stderr, new RegExp(`is nothing to ${become}`));
  }
});
