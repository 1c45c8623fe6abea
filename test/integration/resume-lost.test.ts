/** A run that ended because a file could not be read goes on once that is mended, with the parts that it has. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { labServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('what a kept part lacks is fetched when the run goes on', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'resume-lost');
  const env = { P2C_ROOT: await temporaryFolder(t) };
  // A tar that does not deliver a file while another, of which the image has nothing, is not empty.
  await server.exec(`mkdir -p /opt/lost; cd /opt/lost; echo content > file; echo broken > /opt/flag
printf '#!/bin/sh
case "$*" in *--create*) ;; *) exec /bin/tar "$@" ;; esac
if [ -s /opt/flag ]; then exec /bin/tar --exclude=./opt/lost/file "$@"; fi
exec /bin/tar "$@"\n' > /usr/local/bin/tar; chmod 755 /usr/local/bin/tar`);
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const rest = ['--no-stop', '--no-adapt', '--json', '--part-size', '32m', '--exclude', '/opt/flag'];
  const refused = await cli(['migrate', `root@${server.address}`, '--tag', 'lab:one', ...access, ...rest], env);
  t.is(refused.code, 1, refused.stderr);
  t.regex(refused.stderr, /capture\.unreadable/);

  await server.exec(': > /opt/flag');
  const ended = await cli(['migrate', '--resume', '--json'], env);
  t.is(ended.code, 0, ended.stderr);
  const [run = ''] = readdirSync(join(env.P2C_ROOT, 'runs'));
  const journal = readFileSync(join(env.P2C_ROOT, 'runs', run, 'journal.ndjson'), 'utf8');
  t.regex(journal, /"event":"part-kept"/);
  const held = await cli(['image', 'receipt', '--check', 'lab:one'], env);
  t.is(held.code, 0, held.stdout + held.stderr);
  const listed = await cli(['image', 'receipt', '--path', '/opt/lost/file', '--ndjson', 'lab:one'], env);
  const parts = Number(/"parts":(\d+)/.exec(journal)?.[1]);
  t.like(JSON.parse(listed.stdout), { verdict: 'captured', layer: parts }, 'of the layer above the parts');
});
