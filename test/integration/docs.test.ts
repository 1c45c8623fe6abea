import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('../..', import.meta.url));

/** Documents in the order in which a reader would go through them. */
const DOCUMENTS = [
  'README.md',
  'docs/ssh.md',
  'docs/inspect.md',
  'docs/audit.md',
  'docs/receipt.md',
  'docs/adaptation.md',
  'docs/rules.md',
  'docs/profiles.md',
  'docs/inventory.md',
  'docs/booting.md',
  'docs/networks.md',
  'docs/runner.md',
];

/** Run by other tests, or not to be run in a test's machine. */
const ELSEWHERE = /^(?:\.\/scripts\/(?:demo|test)|npm (?:install|link))$/;

/** The lines of the documents' `sh` blocks. */
function commands(file: string): string[] {
  const text = readFileSync(join(HERE, file), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) => block.split('\n')).filter((line) => line !== '' && !ELSEWHERE.test(line));
}

test.serial('every command of the documents does what they say, on a server named old.example', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['podman', 'skopeo'])) return;
  const server = await labServer(t, 'docs');
  const folder = await temporaryFolder(t);
  for (const name of ['bin', 'store', 'home', 'home/.ssh']) mkdirSync(join(folder, name), { mode: 0o700 });
  // The user's machine: a key, an entry in /etc/hosts, p2c in the PATH; the shop of the example is not on this server.
  await copyFile(server.identity, join(folder, 'home/.ssh/id_ed25519'));
  writeFileSync(join(folder, 'hosts'), `127.0.0.1 localhost\n${server.address} old.example\n`);
  writeFileSync(
    join(folder, 'bin/p2c'),
    `#!/bin/sh\nexec ${process.execPath} -- ${join(HERE, 'dist/cli.cjs')} "$@"\n`,
    {
      mode: 0o755,
    },
  );
  const env = {
    ...process.env,
    HOME: join(folder, 'home'),
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    SSH_AUTH_SOCK: '',
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
  };
  writeFileSync(
    env.CONTAINERS_STORAGE_CONF,
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"\n`,
  );
  const mounts = `mount --bind ${folder}/hosts /etc/hosts && mkdir -p /var/lib/p2c && mount --bind ${folder}/store /var/lib/p2c`;
  // One shell for all, for later commands need what earlier ones made; its mounts are its own.
  const lines = DOCUMENTS.flatMap((file) => commands(file).map((line) => ({ file, line })));
  t.true(lines.length > 20);
  const script = lines
    .map(
      ({ line }, index) =>
        `echo "@@ ${index}"; ( ${line} ) </dev/null; code=$?; case $code in 0|3|4) ;; *) echo "@@ failed ${index} $code";; esac`,
    )
    .join('\n');
  const { stdout, stderr } = await run(
    'unshare',
    ['--mount', 'sh', '-c', `${mounts} || exit 1\nexec 2>&1\n${script}`],
    {
      cwd: HERE,
      env,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const failed = [...stdout.matchAll(/^@@ failed (\d+) (\d+)$/gm)].map((match) => {
    const number = Number(match[1]);
    const said = stdout.slice(stdout.indexOf(`@@ ${number}\n`), stdout.indexOf(`@@ failed ${number}`));
    return `${lines[number]?.file}: ${lines[number]?.line}: exit ${match[2]}\n${said}`;
  });
  t.deepEqual(failed, [], stderr);
  await run('umount', ['-l', `${folder}/graph/overlay`]).catch(() => {});
});

test('the examples are what p2c takes', async (t) => {
  const checked = await cli(['profiles', 'check', join(HERE, 'examples/shop.yaml')]);
  t.is(checked.code, 0, checked.stderr);
  const { loadInventory } = await import('../../src/fleet/inventory.ts');
  const { loadProfile } = await import('../../src/profiles/load.ts');
  const { parseReference } = await import('../../src/oci/reference.ts');
  const inventory = await loadInventory(join(HERE, 'examples/fleet.yaml'));
  t.is(inventory.hosts.length, 3);
  for (const host of inventory.hosts) {
    t.truthy(parseReference(host.tag ?? ''));
    for (const profile of host.profiles) t.truthy(loadProfile(profile).name);
  }
});

test.serial('the demo ends with the page', async (t) => {
  if (!requireRoot(t)) return;
  const { stdout } = await run(join(HERE, 'scripts/demo'), [], { cwd: HERE, maxBuffer: 64 * 1024 * 1024 });
  t.regex(stdout, /Hello from demo-\d+, an old server\n\n== Done/);
});
