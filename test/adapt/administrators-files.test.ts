/** Files that an administrator wrote where recipes write too. */
import test from 'ava';
import { adapted, appliedAgain, layerOf } from '../helpers/adapting.ts';
import { SYSTEMS } from '../helpers/system-trees.ts';

test('of tmpfiles.d only what cleans /tmp and /var/tmp is taken out', async (t) => {
  const { after } = await adapted(t, [
    layerOf({
      ...SYSTEMS['debian9 (systemd)'],
      'etc/tmpfiles.d/tmp.conf': `# ours
D /tmp 1777 root root 0
q "/var/tmp/" 1777 root root 30d
x /tmp/systemd-private-*
R! /tmp/systemd-private-*
r /tmp/app.lock
d /tmp/app 0750 app app 2d
d /srv/spool 0750 app app 7d
`,
      'etc/tmpfiles.d/app.conf':
        'd /run/app 0755 app app -\nr! /var/tmp/[a-z]*\ne /var/tmp - - - 1d\nd /tmp 1777 root root\n',
    }),
  ]);
  t.is(
    after.text('/etc/tmpfiles.d/tmp.conf'),
    `# ours
#p2c# D /tmp 1777 root root 0
#p2c# q "/var/tmp/" 1777 root root 30d
x /tmp/systemd-private-*
#p2c# R! /tmp/systemd-private-*
r /tmp/app.lock
d /tmp/app 0750 app app 2d
d /srv/spool 0750 app app 7d
d /tmp 1777 root root -
d /var/tmp 1777 root root -
`,
  );
  t.is(
    after.text('/etc/tmpfiles.d/app.conf'),
    'd /run/app 0755 app app -\n#p2c# r! /var/tmp/[a-z]*\n#p2c# e /var/tmp - - - 1d\nd /tmp 1777 root root\n',
  );
  t.deepEqual(appliedAgain(after), []);
});

test('without a file of its own the folders are made and not cleaned, and one that is off stays off', async (t) => {
  const plain = await adapted(t, [layerOf(SYSTEMS['debian9 (systemd)'] ?? {})]);
  t.is(plain.after.text('/etc/tmpfiles.d/tmp.conf'), 'd /tmp 1777 root root -\nd /var/tmp 1777 root root -\n');
  const off = { ...SYSTEMS['debian9 (systemd)'], 'etc/tmpfiles.d/tmp.conf': { link: '/dev/null' } };
  const { after } = await adapted(t, [layerOf(off)]);
  t.is(after.target('/etc/tmpfiles.d/tmp.conf'), '/dev/null');
});

const UPS = 'start on power-status-changed\nexec /usr/local/sbin/ups-mail\n';
const LOGIN = '# by hand\nstart on stopped rc\nrespawn\nexec /sbin/agetty -8 115200 console\n';

for (const name of ['el6 (upstart)', 'ubuntu12 (upstart)']) {
  test(`jobs of an administrator's are not written over: ${name}`, async (t) => {
    const { after } = await adapted(t, [
      layerOf({
        ...SYSTEMS[name],
        'etc/init/power-status-changed.conf': UPS,
        'etc/init/console.conf': LOGIN,
      }),
    ]);
    t.is(after.text('/etc/init/power-status-changed.conf'), UPS);
    t.is(after.text('/etc/init/console.conf'), LOGIN.replace(/^(?=[a-z])/gm, '#p2c# '));
    t.regex(after.text('/etc/init/p2c-power.conf') ?? '', /^exec \/sbin\/init 0$/m);
    t.regex(after.text('/etc/init/p2c-console.conf') ?? '', /^exec \S+getty .*console$/m);
    t.deepEqual(appliedAgain(after), []);
  });
}

test('a .link file is for no interface, and one that is empty stays', async (t) => {
  const { after } = await adapted(t, [
    layerOf({
      ...SYSTEMS['debian9 (systemd)'],
      'etc/systemd/network/10.link': '[Match]\nMACAddress=02:00:00:00:00:01\n[Link]\nName=lan0',
      'etc/systemd/network/99-default.network': '',
    }),
  ]);
  t.is(
    after.text('/etc/systemd/network/10.link'),
    '#p2c# [Match]\n#p2c# MACAddress=02:00:00:00:00:01\n#p2c# [Link]\n#p2c# Name=lan0\n[Match]\nOriginalName=p2c-none\n',
  );
  t.is(after.text('/etc/systemd/network/99-default.network'), '');
});
