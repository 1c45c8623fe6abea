/** Filesystems in memory: where they lie, and what they begin with. */
import { onEachEngine } from '../helpers/engines.ts';
import { rawTar } from '../helpers/raw-tar.ts';

const SHOW = 'stat -c "%n %a %u:%g" /data /data/* /data/deep/*; readlink /data/link; cat /data/file';

/** A folder of another user's with a file, a link and a folder in it. */
const DATA = rawTar([
  { name: './', type: '5' },
  { name: './data/', type: '5', mode: 0o750, pax: { uid: '1000', gid: '44' } },
  { name: './data/deep/', type: '5', mode: 0o700, pax: { uid: '1000', gid: '1000' } },
  { name: './data/deep/x', content: 'x', mode: 0o4711 },
  { name: './data/file', content: 'of the image', mode: 0o600, pax: { uid: '1000', gid: '1000' } },
  { name: './data/link', type: '2', link: '/proc/self/environ' },
]);

onEachEngine('a filesystem in memory within a volume is seen, and a volume within one', async (t, runner) => {
  const p2c = await runner(t);
  const script = 'touch /data/kept /data/cache/gone /memory/gone /memory/volume/kept; find /data /memory | sort';
  const mounts = ['-v', 'data:/data', '--tmpfs', '/data/cache', '--tmpfs', '/memory', '-v', 'in:/memory/volume'];
  const all =
    '/data\n/data/cache\n/data/cache/gone\n/data/kept\n/memory\n/memory/gone\n/memory/volume\n/memory/volume/kept';
  t.is(await p2c.ok('run', '--rm', ...mounts, 'test:latest', 'sh', '-c', script), all);
  const look = await p2c.ok('run', '--rm', '-v', 'data:/data', '-v', 'in:/in', 'test:latest', 'find', '/data', '/in');
  t.is(look, '/data\n/data/cache\n/data/kept\n/in\n/in/kept');
});

onEachEngine('one begins with what the image has there, unless it is to be empty', async (t, runner) => {
  const p2c = await runner(t, {}, {}, [DATA]);
  const run = (...words: string[]): Promise<string> => p2c.ok('run', '--rm', ...words);
  const shown = (await run('test:latest', 'sh', '-c', SHOW)).replace('/data 750 1000:44', '/data 750 0:0');
  t.regex(
    shown,
    /^\/data 750 0:0\n\/data\/deep 700 1000:1000\n\/data\/file 600 1000:1000\n.*\n\/data\/deep\/x 4711 0:0\n/,
  );
  t.is(await run('--tmpfs', '/data', 'test:latest', 'sh', '-c', SHOW), shown);
  t.is(await run('--tmpfs', '/data:rw,size=1m,tmpcopyup,rprivate', 'test:latest', 'sh', '-c', SHOW), shown);
  t.is(await run('--mount', 'type=tmpfs,dst=/data', 'test:latest', 'sh', '-c', SHOW), shown);
  const readOnly = await p2c.call(
    'run',
    '--rm',
    '--tmpfs',
    '/data:ro',
    'test:latest',
    'sh',
    '-c',
    `${SHOW}; touch /data/x`,
  );
  t.deepEqual([readOnly.code, readOnly.stdout], [1, shown]);
  const flags = 'grep " /data " /proc/mounts | cut -d" " -f4';
  t.regex(await run('--tmpfs', '/data:ro', 'test:latest', 'sh', '-c', flags), /^ro,nosuid,nodev,/);
  t.regex(await run('--tmpfs', '/data:exec,suid', 'test:latest', 'sh', '-c', flags), /^rw,nodev,/);
  for (const empty of [
    ['--tmpfs', '/data:notmpcopyup'],
    ['--mount', 'type=tmpfs,dst=/data,notmpcopyup'],
  ]) {
    t.is(await run(...empty, 'test:latest', 'ls', '-A', '/data'), '');
    t.is(await run(...empty, 'test:latest', 'stat', '-c', '%a', '/data'), '750');
  }
  t.is(await run('--tmpfs', '/new', 'test:latest', 'stat', '-c', '%a', '/new'), '1777');
  t.is(await run('--tmpfs', '/new:mode=711', 'test:latest', 'stat', '-c', '%a', '/new'), '711');
  t.is(await run('--tmpfs', '/dev/shm:size=1m', 'test:latest', 'stat', '-c', '%a', '/dev/shm'), '1777');
  const full = await p2c.call('run', '--rm', '--tmpfs', '/bin:size=64k', 'test:latest', 'true');
  t.is(full.code, 125);
  t.regex(full.stderr, /could not be set up.*no space left/is);
});

onEachEngine('what is writable of a read-only root begins with what the image has there', async (t, runner) => {
  const p2c = await runner(t, { 'run/x': 'run', 'tmp/x': 'tmp', 'var/tmp/x': 'var' });
  const script = 'cat /run/x /tmp/x /var/tmp/x; touch /run/y /tmp/y /var/tmp/y; stat -c %a /run /tmp; touch /y';
  const { code, stdout } = await p2c.call('run', '--rm', '--read-only', 'test:latest', 'sh', '-c', script);
  t.deepEqual([code, stdout], [1, 'runtmpvar755\n1755\n']);
});
