/** What a clone must not do by itself, found in images of several families. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { servicesScript } from '../../../src/runtime/init/services-script.ts';
import { findHolds } from '../../../src/runtime/quarantine/find.ts';
import { holdsText, undoing } from '../../../src/runtime/quarantine/quarantine.ts';
import { serviceHolds } from '../../../src/runtime/quarantine/services.ts';
import type { LayerRoot } from '../../../src/runtime/root-path.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

type Tree = Readonly<Record<string, string | { readonly link: string }>>;

async function layer(t: ExecutionContext, tree: Tree): Promise<LayerRoot> {
  const folder = await temporaryFolder(t);
  for (const [path, what] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (typeof what === 'string') writeFileSync(join(folder, path), what);
    else symlinkSync(what.link, join(folder, path));
  }
  return { folder, opaque: new Set() };
}

const link = (name: string) => ({ link: `../init.d/${name}` });

test('Debian with sysvinit: the start links of cron and mail, not those of others, nor the stop links', async (t) => {
  const root = await layer(t, {
    'etc/rc2.d/S01cron': link('cron'),
    'etc/rc3.d/S01cron': link('cron'),
    'etc/rc2.d/S01exim4': link('exim4'),
    'etc/rc2.d/S01nginx': link('nginx'),
    'etc/rc0.d/K01cron': link('cron'),
  });
  const holds = findHolds([root]);
  t.deepEqual(
    holds.map(({ name, kind, init }) => [name, kind, init]),
    [
      ['cron', 'cron', 'sysv'],
      ['exim4', 'mail', 'sysv'],
    ],
  );
  t.is(holdsText(holds), 'cron, exim4');
  t.deepEqual(undoing(holds), [
    ['link', '/etc/rc2.d/S01cron', '../init.d/cron'],
    ['link', '/etc/rc3.d/S01cron', '../init.d/cron'],
    ['link', '/etc/rc2.d/S01exim4', '../init.d/exim4'],
  ]);
});

test('Red Hat: one link is found once, though two names lead to its folder', async (t) => {
  const root = await layer(t, {
    'etc/rc.d/rc3.d/S90crond': link('crond'),
    'etc/rc.d/rc3.d/S80sendmail': link('sendmail'),
    'etc/rc.d/rc3.d/S95atd': link('atd'),
    'etc/rc3.d': { link: 'rc.d/rc3.d' },
  });
  const paths = findHolds([root]).flatMap(({ changes }) => changes.map(({ path }) => path));
  t.deepEqual(paths.sort(), ['/etc/rc.d/rc3.d/S80sendmail', '/etc/rc.d/rc3.d/S90crond', '/etc/rc.d/rc3.d/S95atd']);
});

test('systemd: services, sockets, instances and every timer get a condition', async (t) => {
  const root = await layer(t, {
    'lib/systemd/systemd': '',
    'lib/systemd/system/cron.service': '',
    'lib/systemd/system/postfix@.service': '',
    'lib/systemd/system/apt-daily.timer': '',
    'etc/systemd/system/own.timer': '',
    'lib/systemd/system/nginx.service': '',
    'usr/lib/systemd/system/cron.service': '',
  });
  const holds = findHolds([root]);
  t.deepEqual(
    holds.map(({ name }) => name),
    ['apt-daily.timer', 'cron.service', 'own.timer', 'postfix@.service'],
  );
  t.is(holdsText(holds), 'cron, postfix@, 2 timers');
  t.deepEqual(
    holds[1]?.changes.map(({ path }) => path),
    ['/etc/systemd/system/cron.service.d/p2c-quarantine.conf'],
  );
});

test('units of a system without systemd are no one’s', async (t) => {
  t.deepEqual(findHolds([await layer(t, { 'lib/systemd/system/apt-daily.timer': '' })]), []);
});

test('upstart: the job itself, whatever overrides the server has', async (t) => {
  const root = await layer(t, {
    'etc/init/cron.conf': 'start on runlevel [2345]\n',
    'etc/init/cron.override': 'start on runlevel [235]\n',
    'etc/init/atd.conf': { link: '/opt/atd.conf' },
    'etc/init/postfix.conf/x': '',
  });
  const holds = findHolds([root]);
  t.deepEqual(
    holds.map(({ name, changes }) => [name, changes]),
    [
      ['atd', [{ how: 'unlink', path: '/etc/init/atd.conf', target: '/opt/atd.conf' }]],
      ['cron', [{ how: 'rename', path: '/etc/init/cron.conf', to: '/etc/init/.cron.conf.p2c-held' }]],
    ],
  );
  t.deepEqual(undoing(holds.slice(1)), [['rename', '/etc/init/.cron.conf.p2c-held', '/etc/init/cron.conf']]);
});

test('upstart: only jobs that start by themselves are started by a release', async (t) => {
  const root = await layer(t, {
    'etc/init/cron.conf': 'description "cron"\nstart on runlevel [2345]\n',
    'etc/init/atd.conf': '# start on runlevel [2345]\nexec atd\n',
    'etc/init/postfix.conf': 'start on filesystem\n',
    'etc/init/postfix.override': 'manual\n',
    'etc/init/exim4.conf': 'manual\n',
    'etc/init/exim4.override': '  start  on filesystem\n',
  });
  t.deepEqual(
    findHolds([root]).map(({ name, starts }) => [name, starts]),
    [
      ['atd', false],
      ['cron', true],
      ['exim4', true],
      ['postfix', false],
    ],
  );
});

test('a file in the place of a start link is as good as one, also above a lower layer’s link', async (t) => {
  const upper = await layer(t, { 'etc/rc2.d/S01cron': 'no link' });
  const lower = await layer(t, { 'etc/rc2.d/S01cron': link('cron') });
  const changes = findHolds([upper, lower]).flatMap((hold) => hold.changes);
  t.deepEqual(changes, [{ how: 'rename', path: '/etc/rc2.d/S01cron', to: '/etc/rc2.d/.S01cron.p2c-held' }]);
});

test('links that lead out of the image lead to nothing', async (t) => {
  const outside = await layer(t, { 'rc2.d/S01cron': link('cron'), 'systemd/system/x.timer': '' });
  const root = await layer(t, {
    'etc/rc2.d': { link: `${outside.folder}/rc2.d` },
    'lib/systemd': { link: `${outside.folder}/systemd` },
  });
  t.deepEqual(findHolds([root]), []);
});

test('a folder that is a link to itself, or a file, holds nothing', async (t) => {
  const root = await layer(t, {
    'etc/rc2.d': { link: 'rc2.d' },
    'etc/init': 'a file',
    'etc/rc3.d/S01cron': link('cron'),
  });
  t.is(findHolds([root]).length, 1);
});

test('of applications that a script starts, those are held that an init would not start either', async (t) => {
  const root = await layer(t, {});
  const step = (...service: string[]) => ({ service, env: {}, seconds: 5 });
  const services = [
    { name: 'shop', start: [step('shop'), step('postfix')], stop: [step('postfix'), step('shop')] },
    { name: 'generic-sysv:cron', start: [{ run: 'crond', env: {}, seconds: 5 }], stop: [] },
    { name: 'cron@/../../x', start: [{ run: 'other', env: {}, seconds: 5 }], stop: [] },
    { name: 'nginx', start: [step('nginx')], stop: [step('nginx')] },
  ];
  const holds = serviceHolds([root], services);
  t.deepEqual(
    holds.map(({ kind, name, init, changes }) => [kind, name, init, changes.map(({ path }) => path)]),
    [
      ['mail', 'postfix', 'services', ['/etc/p2c/held/postfix']],
      ['cron', 'cron', 'services', ['/etc/p2c/held/cron']],
    ],
  );
  const [mail, cron] = holds.map(({ changes: [change] }) => (change?.how === 'add' ? change.text : ''));
  t.regex(mail ?? '', /^patient 5 'shop: start' service_script start 'postfix' \|\| failed=1$/m);
  t.notRegex(mail ?? '', /'shop'$|crond/m);
  t.regex(cron ?? '', /sh -c 'crond'.*sh -c 'other'/s);
  const script = servicesScript(services);
  t.regex(script, /is_held 'postfix' \|\| patient 5 'shop: start'/);
  t.regex(script, /\|\| patient 5 'nginx: start'/);
  t.notRegex(script, /is_held 'nginx'/);
});
