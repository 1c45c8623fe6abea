/** A batch that goes on though its inventory has changed: over hosts that nobody listens at (port 1 of this machine). */
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { stamped } from '../../src/report/events/schema.ts';
import { cli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const INI = `web1 p2c_tag=x/web1:1
web2 p2c_tag=x/web2:1

[all:vars]
ansible_host=127.0.0.1
ansible_port=1
ansible_user=root
`;

test('a host that is done, and that its inventory makes unusable since, is in the way of no other', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'hosts.ini');
  const env = { P2C_ROOT: join(folder, 'store') };
  const once = ['--retries', '0', '--attempts', '1', '--no-estimate'];
  await writeFile(file, INI);
  t.is((await cli(['migrate', '-i', file, ...once], env)).code, 1);
  const [id = ''] = await readdir(join(env.P2C_ROOT, 'runs'));
  const done = { event: 'host-done', host: 'web1', exitCode: 0, milliseconds: 1, result: {} } as const;
  const journal = join(env.P2C_ROOT, 'runs', id, 'journal.ndjson');
  await appendFile(journal, `${JSON.stringify(stamped(done, id))}\n`);

  await writeFile(file, INI.replace('p2c_tag=x/web1:1', 'ansible_connection=winrm'));
  const resumed = await cli(['migrate', '--resume'], env);
  t.is(resumed.code, 1, resumed.stderr);
  t.regex(resumed.stderr, /^p2c: web2: .* refuses the connection$/m);
  t.regex(await readFile(journal, 'utf8'), /"run-finished","exitCode":1,"done":1,"failed":1,/);

  await writeFile(file, INI.replace('p2c_tag=x/web1:1', '').replace('x/web2:1', 'x/web1:1'));
  t.regex(
    (await cli(['migrate', '--resume'], env)).stderr,
    /'web1' and 'web2' would have the same image name, x\/web1:1/,
  );
  await writeFile(file, INI.replace('p2c_tag=x/web2:1', 'ansible_connection=winrm'));
  t.is((await cli(['migrate', '--resume'], env)).code, 2, 'one that is not done is looked at');
});
