/** What a container left behind itself, for its next start and for those who look into it while it does not run: no way out. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onEachEngine } from '../helpers/engines.ts';

/** Whoever runs this machine's `mount` after the volume was laid over /usr would run this one. */
const OWN_MOUNT = (outside: string): string => `mkdir /x/usr/bin; cp /bin/busybox /x/usr/bin/
  printf '#!/usr/bin/busybox sh\\necho ran >${outside}/ran\\n' >/x/usr/bin/mount; chmod 755 /x/usr/bin/mount`;

onEachEngine('cp looks into a container that laid a link to / in the way of its volume', async (t, runner) => {
  const p2c = await runner(t, {}, { Volumes: { '/x/usr': {} } });
  const script = `${OWN_MOUNT(p2c.outside)}; mv /x /y; ln -s / /x`;
  await p2c.ok('run', '--name', 'c', 'test:latest', 'sh', '-c', script);
  const got = join(p2c.outside, 'got');
  await p2c.ok('cp', 'c:/etc/passwd', got);
  t.regex(readFileSync(got, 'utf8'), /^root:/);
  await p2c.ok('cp', got, 'c:/tmp/got');
  t.deepEqual(readdirSync(p2c.outside), ['got']);
  t.is((await p2c.call('cp', 'c:/usr/bin/mount', '-')).code, 0);
});

onEachEngine('cp into a container makes no folder where its links lead', async (t, runner) => {
  const p2c = await runner(t);
  const place = join(p2c.outside, 'place');
  mkdirSync(place);
  const file = join(p2c.outside, 'file');
  writeFileSync(file, 'x');
  await p2c.ok('run', '--name', 'c', '-v', 'data:/x/made', 'test:latest', 'sh', '-c', `mv /x /y; ln -s ${place} /x`);
  await p2c.ok('cp', file, 'c:/tmp/file');
  t.deepEqual(readdirSync(place), []);
});

onEachEngine('a volume goes along where its folder became a link, for cp and at the next start', async (t, runner) => {
  const p2c = await runner(t);
  const script = `if test -e /srv/data/x; then cat /srv/data/x /home/data/x
    else mv /srv /old; ln -s home /srv; echo kept >/old/data/x; fi; test -L /srv`;
  await p2c.ok('run', '--name', 'c', '-v', 'data:/srv/data', 'test:latest', 'sh', '-c', script);
  t.is(await p2c.ok('start', '-a', 'c'), 'kept\nkept');
  for (const path of ['/srv/data/x', '/home/data/x']) {
    const got = join(p2c.outside, path.replaceAll('/', '-'));
    await p2c.ok('cp', `c:${path}`, got);
    t.is(readFileSync(got, 'utf8'), 'kept\n', path);
  }
  await p2c.ok('cp', join(p2c.outside, '-srv-data-x'), 'c:/srv/data/y');
  t.is(await p2c.ok('run', '--rm', '-v', 'data:/data', 'test:latest', 'cat', '/data/y'), 'kept');
});

onEachEngine('no mount of a second start lands on the programs that start it', async (t, runner) => {
  const p2c = await runner(t, { 'etc/resolv.conf': { link: '/x/tools/perl' } });
  const swap = 'mv /x /y; ln -s / /x; mv /z /w; ln -s / /z';
  const script = `if test -L /x; then cat /tools/perl /z/srv/file; else echo no program >/etc/resolv.conf
    echo of the volume >/z/srv/file; ${swap}; fi`;
  const options = ['-v', 'data:/z/srv', '--tmpfs', '/z/v'];
  await p2c.ok('run', '--name', 'c', ...options, 'test:latest', 'sh', '-c', script);
  t.is(await p2c.ok('start', '-a', 'c'), 'no program\nof the volume');
});

onEachEngine(
  'a link leads no volume over what keeps a container apart, nor over its root',
  async (t, runner, engine) => {
    for (const place of ['sys', 'proc', 'dev']) {
      const p2c = await runner(t);
      const options = ['--name', 'c', '-v', `data:/x/${place}`];
      await p2c.ok('run', ...options, 'test:latest', 'sh', '-c', 'test -L /x || { mv /x /y; ln -s / /x; }');
      const { code, stderr } = await p2c.call('start', '-a', 'c');
      if (engine !== 'namespaces') continue;
      t.not(code, 0, place);
      t.regex(stderr, new RegExp(`'/x/${place}' leads to '/${place}/?' by a link`));
    }
    const p2c = await runner(t);
    const script = 'test -L /x || { mv /x /y; mkdir /x; ln -s / /x/y; }; ls /etc/passwd';
    await p2c.ok('run', '--name', 'c', '-v', 'data:/x/y', 'test:latest', 'sh', '-c', script);
    const { stdout, stderr } = await p2c.call('start', '-a', 'c');
    t.true(stdout === '/etc/passwd\n' || /leads to '\/' by a link|could not be set up/.test(stderr), stderr);
  },
);

onEachEngine('links in a volume that others write to lead a volume within it no further', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok('run', '--rm', '-v', 'data:/data', 'test:latest', 'sh', '-c', 'ln -s / /data/up; ln -s /up /data/in');
  const options = ['-v', 'data:/data', '-v', 'other:/data/up/tools', '-v', `${p2c.outside}:/data/in/x`];
  const { code, stdout } = await p2c.call('run', '--rm', ...options, 'test:latest', 'ls', '-d', '/tools', '/up/x');
  t.is(code, 0);
  t.is(stdout, '/tools\n/up/x\n');
  t.false(existsSync('/up'));
});
