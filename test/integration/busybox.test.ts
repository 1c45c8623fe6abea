/** A source that has busybox and dropbear, and no GNU tool. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type BusyboxServer, startBusyboxServer } from '../helpers/busybox-server.ts';
import { cli } from '../helpers/cli.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function ready(t: ExecutionContext): boolean {
  return (
    requireRoot(t) && requirePrograms(t, ['busybox', 'dropbear', 'dropbearkey', 'unshare', 'nsenter', 'mkfs.ext4'])
  );
}

function connection({ port, identity, knownHosts }: BusyboxServer): string[] {
  return [`root@127.0.0.1:${port}`, '--identity', identity, '--known-hosts', knownHosts];
}

test('an audit of a busybox source lists exactly what is there', async (t) => {
  if (!ready(t)) return;
  const server = await startBusyboxServer(t);
  await server.exec(`cd /srv && echo one >plain && ln plain second && ln -s 'to
nowhere' link && mkdir -p 'x
= 81a4 0 0 1 8 1 1 1 1 1 ' && echo x >'x
= 81a4 0 0 1 8 1 1 1 1 1 /forged' && mkfifo pipe && truncate -s 5G sparse && mkdir -p deep/er
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do f=$(printf 'su\\n%02d\\351' $n); echo x >"$f" && chmod 4755 "$f"; done`);
  const there = Number(await server.exec("find / -xdev -print0 | tr -dc '\\0' | wc -c"));
  const ended = await cli(['audit', ...connection(server), '--json']);
  t.is(ended.code, 0, ended.stderr);
  const report = JSON.parse(ended.stdout);
  t.is(report.listing.entries, there);
  t.deepEqual(report.listing.problems, []);
  t.is(report.source.distribution, 'Small Linux 1');
  t.is(report.source.machine, (await server.exec('uname -m')).trim());
  t.is(report.tools.tar.flavour, 'busybox');
  t.is(report.tools.find.flavour, 'busybox');
  t.is(report.tools.stat, 'busybox');
  t.deepEqual(report.tools.attributeReaders, []);
  t.deepEqual(report.tools.chosen, { listing: 'find | xargs stat', nanoseconds: true, capture: 'none' });
  const included = report.filesystems.filter(({ verdict }: { verdict: string }) => verdict === 'included');
  t.deepEqual(
    included.map(({ mountPoint }: { mountPoint: string }) => mountPoint),
    ['/'],
  );
  const hazards = new Map<string, { entries: number; examples: string[]; paths: string[] }>();
  for (const { kind, ...hazard } of report.anatomy.hazards) hazards.set(kind, hazard);
  for (const [kind, { entries, examples, paths }] of hazards) {
    t.is(paths.length, entries, kind);
    t.deepEqual(examples, paths.slice(0, 10), kind);
  }
  const odd = Array.from({ length: 12 }, (_, index) => `/srv/su\\n${String(index + 1).padStart(2, '0')}\\xe9`);
  t.deepEqual(hazards.get('name that is no UTF-8')?.paths, odd);
  t.deepEqual(
    hazards.get('setuid or setgid program')?.paths.filter((path) => path.startsWith('/srv/su')),
    odd,
  );
  t.is(report.needs.disk.here, report.capture.tarBytes);
  const { bytesPerSecond, milliseconds } = report.needs.transfer[0];
  t.is(milliseconds, Math.round((report.capture.tarBytes * 1000) / bytesPerSecond));
  const page = await cli(['audit', ...connection(server)]);
  t.regex(page.stdout, /Tools: listed with find \| xargs stat \(busybox\), its tar \(.*\) cannot make a capture/);
});

test('a migration of it is refused before anything is stopped or stored', async (t) => {
  if (!ready(t)) return;
  const server = await startBusyboxServer(t);
  const root = join(await temporaryFolder(t), 'store');
  for (const more of [[], ['--dry-run']]) {
    const ended = await cli(['migrate', ...connection(server), '--tag', 'small', ...more], { P2C_ROOT: root });
    t.is(ended.code, 1, ended.stderr);
    t.regex(
      ended.stderr,
      /the tar of root@127\.0\.0\.1:\d+ cannot read a list of names \('.*busybox.*\n.*install GNU tar/i,
    );
  }
  t.deepEqual(readdirSync(join(root, 'blobs', 'sha256')), []);
  t.deepEqual(readdirSync(join(root, 'tmp')), []);
});
