/** What of an image is older than the last look at its source: told as that. */
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function args(server: LabServer, ...more: string[]): string[] {
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const usual = ['--tag', 'lab:one', '--no-adapt', '--json', '--no-stop', '--streams', '1'];
  return ['migrate', `root@${server.address}`, ...access, ...usual, ...more];
}

/** A tar after whose first run a file changes, and that loses it in so many of the later ones. */
function losing(runs: number): string {
  return `mkdir -p /opt/stale; cd /opt/stale; echo old > file; rm -f /opt/count; touch /opt/count
printf '#!/bin/sh
case "$*" in *--create*) ;; *) exec /bin/tar "$@" ;; esac
if [ ! -s /opt/count ]; then echo >> /opt/count; /bin/tar "$@"; code=$?; echo new > /opt/stale/file; exit $code; fi
echo >> /opt/count
if [ $(wc -l < /opt/count) -le ${runs + 1} ]; then exec /bin/tar --exclude=./opt/stale/file "$@"; fi
exec /bin/tar "$@"\n' > /usr/local/bin/tar; chmod 755 /usr/local/bin/tar`;
}

test.serial(
  'what changed and did not come in a delta is asked for again, and is no present state where it never comes',
  async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, 'stale');
    const root = await temporaryFolder(t);
    const rest = ['--exclude', '/opt/count'];
    const lineOf = async (): Promise<object> => {
      const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
      t.is(held.code, 0, held.stdout + held.stderr);
      const listed = await cli(['image', 'receipt', '--path', '/opt/stale/file', '--ndjson', 'lab:one'], {
        P2C_ROOT: root,
      });
      return JSON.parse(listed.stdout);
    };
    await server.exec(losing(1));
    const second = await cli(args(server, ...rest), { P2C_ROOT: root });
    t.is(second.code, 0, second.stderr);
    t.is(JSON.parse(second.stdout).settle.rounds, 2);
    t.like(await lineOf(), { verdict: 'captured', layer: 2 });

    await server.exec(losing(9));
    const refused = await cli(args(server, ...rest), { P2C_ROOT: root });
    t.is(refused.code, 1, refused.stderr);
    const { error } = JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '');
    t.is(error.code, 'capture.unreadable');
    t.regex(error.message, /\/opt\/stale\/file \(Read error: a newer state was asked for and did not come/);

    await server.exec(losing(9));
    const skipped = await cli(args(server, ...rest, '--skip-unreadable'), { P2C_ROOT: root });
    t.is(skipped.code, 3, skipped.stderr);
    // The server's own logs may.
    t.false(JSON.parse(skipped.stdout).settle.stillMovingPaths.includes('/opt/stale/file'), 'it stood still');
    t.like(await lineOf(), { verdict: 'changed', layer: 0 });
  },
);

test.serial(
  'what went, came and went, or became something else when the rounds were over is told as the image has it',
  async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, 'stale-rounds');
    const root = await temporaryFolder(t);
    // After the first tar and before the look a name comes; after the tar of the delta it goes again, with others.
    await server.exec(`mkdir -p /opt/late/dir; cd /opt/late; echo x | tee gone turns dir/in > stays; touch /opt/first
printf '#!/bin/sh
case "$*" in *--create*) ;; *) exec /bin/tar "$@" ;; esac
/bin/tar "$@"; code=$?; cd /opt/late
if [ -e /opt/first ]; then rm /opt/first; echo x > between; exit $code; fi
rm -rf between gone turns dir; ln -s stays turns; exit $code\n' > /usr/local/bin/tar; chmod 755 /usr/local/bin/tar`);
    const rest = ['--settle', '1', '--exclude', '/opt/first'];
    const ended = await cli(args(server, ...rest), { P2C_ROOT: root });
    t.is(ended.code, 3, ended.stderr);
    const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
    t.is(held.code, 0, held.stdout + held.stderr);
    const listed = await cli(['image', 'receipt', '--path', '/opt/late/**', '--ndjson', 'lab:one'], { P2C_ROOT: root });
    const lines = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.deepEqual(
      lines.map(({ path, type, verdict, layer }) => `${path} ${type} ${verdict} ${layer}`),
      [
        '/opt/late/between f changed 1',
        '/opt/late/dir d changed 0',
        '/opt/late/dir/in f changed 0',
        '/opt/late/gone f changed 0',
        '/opt/late/stays f captured 0',
        '/opt/late/turns f changed 0',
      ],
    );
  },
);
