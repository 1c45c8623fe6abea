/** What units of the old server's disks, and units that require them, become. */
import test from 'ava';
import { requirementsIn, withoutRequirements } from '../../src/adapt/requirements.ts';
import { adapted, appliedAgain, layerOf } from '../helpers/adapting.ts';
import type { Tree } from '../helpers/runtime-image.ts';
import { SYSTEMS } from '../helpers/system-trees.ts';

const OWN = '/etc/systemd/system';
const UNITS: Tree = {
  'etc/fstab': 'LABEL=root / ext4 defaults 1 1\n/dev/vg0/srv-data /srv/data ext4 defaults 1 2\n',
  'etc/systemd/system/app.service':
    '[Unit]\nRequires=db.service srv-data.mount\nBindsTo = dev-vg0-srv\\x2ddata.device \\\n  dev-sdb1.device\nAfter=srv-data.mount\n[Service]\nExecStart=/opt/app\n',
  'etc/systemd/system/app.service.d/disks.conf': '[Unit]\nRequires=tmp.mount\n',
  'etc/systemd/system/own.service': '[Unit]\nRequires=proc.mount cache.mount app.mount dev-ttyUSB0.device\n',
  'etc/systemd/system/copy@.service': '[Unit]\nRequires=%i.mount\n',
  'etc/systemd/system/other.service': { link: 'own.service' },
  'etc/systemd/system/cache.mount': '[Mount]\nWhat=tmpfs\nWhere=/cache\nType=tmpfs\n',
  'etc/systemd/system/app.mount': '[Mount]\nWhat=LABEL=app\nWhere=/app\n',
  'etc/systemd/system/app.automount': '[Automount]\nWhere=/app\n',
  'etc/systemd/system/share.mount': '[Mount]\nWhat=nas:/share\nWhere=/share\n',
  'etc/systemd/system/www.mount': '[Mount]\nWhat=/data/www\nWhere=/www\nOptions=ro,bind\n',
  'etc/systemd/system/snap-core.mount': '[Mount]\nWhat=/var/lib/snapd/core.snap\nWhere=/snap/core\n',
  'etc/systemd/system/dev-sdb2.swap': '[Swap]\nWhat=/dev/sdb2\n',
  'etc/systemd/system/app.service.requires/share.mount': { link: '../share.mount' },
  'etc/systemd/system/app.service.requires/own.service': { link: '../own.service' },
  'usr/lib/systemd/system/vendor.service': '[Unit]\nRequisite=srv-data.mount\n',
  'usr/local/lib/systemd/system/local.service': '[Unit]\nRequires=srv-data.mount\n',
};

const TREE: Tree = { ...SYSTEMS['el7 (systemd)'], ...UNITS };

test('no unit requires a disk of the old server any more, and none mounts one', async (t) => {
  const { after, recipes, passedOver } = await adapted(t, [layerOf(TREE)]);
  t.true(recipes.includes('systemd-disks'));
  t.is(
    after.text(`${OWN}/app.service`),
    '[Unit]\n#p2c# Requires=db.service srv-data.mount\nRequires=db.service\n#p2c# BindsTo = dev-vg0-srv\\x2ddata.device \\\n#p2c#   dev-sdb1.device\nAfter=srv-data.mount\n[Service]\nExecStart=/opt/app\n',
  );
  // Masked by tmp-kept.
  t.is(after.text(`${OWN}/app.service.d/disks.conf`), '[Unit]\n#p2c# Requires=tmp.mount\n');
  t.regex(after.text(`${OWN}/own.service`) ?? '', /^Requires=proc\.mount cache\.mount dev-ttyUSB0\.device$/m);
  t.is(after.target(`${OWN}/other.service`), 'own.service');
  for (const unit of ['app.mount', 'app.automount', 'share.mount', 'www.mount', 'dev-sdb2.swap'])
    t.is(after.target(`${OWN}/${unit}`), '/dev/null', unit);
  for (const unit of ['cache.mount', 'snap-core.mount']) t.is(after.kind(`${OWN}/${unit}`), 'file', unit);
  t.deepEqual(after.names(`${OWN}/app.service.requires`), ['own.service']);
  t.is(after.text(`${OWN}/vendor.service`), '[Unit]\n#p2c# Requisite=srv-data.mount\n');
  t.is(after.text(`${OWN}/local.service`), '[Unit]\n#p2c# Requires=srv-data.mount\n');
  t.is(after.text('/usr/lib/systemd/system/vendor.service'), '[Unit]\nRequisite=srv-data.mount\n');
  t.deepEqual(passedOver, [{ path: `${OWN}/copy@.service`, why: 'it requires %i.mount, which may be a disk' }]);
  t.deepEqual(appliedAgain(after), []);
});

test('where fstab stays, what it mounts may be required', async (t) => {
  const { after, recipes } = await adapted(t, [layerOf(TREE)], ['fstab']);
  t.false(recipes.includes('systemd-disks'));
  t.regex(after.text(`${OWN}/app.service`) ?? '', /^Requires=db\.service srv-data\.mount$/m);
});

test('units of any names and numbers take no time', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 4000 }, (_, index): [string, string] => [`etc/systemd/system/a${index}.swap`, '[Swap]\n']),
  );
  const drops = Object.fromEntries(
    Array.from({ length: 4000 }, (_, index): [string, string] => [
      `etc/systemd/system/b${index}.service.d/x.conf`,
      '[Unit]\n',
    ]),
  );
  const odd = { 'etc/systemd/system/odd.service': `[Unit]\nRequires=${'%'.repeat(500_000)}\n` };
  t.timeout(60_000);
  const { after } = await adapted(t, [layerOf({ ...TREE, ...many, ...drops, ...odd })]);
  t.is(after.target(`${OWN}/a3999.swap`), '/dev/null');
});

test('requirements are found by all their names, over several lines, and not in comments', (t) => {
  const text = '# Requires=a.mount\nRequires=b.mount \\\n c.mount\n BindTo=d.device\nWants=e.mount\n';
  t.deepEqual(requirementsIn(text), ['b.mount', 'c.mount', 'd.device']);
  t.is(
    withoutRequirements(text, (unit) => unit === 'c.mount'),
    '# Requires=a.mount\n#p2c# Requires=b.mount \\\n#p2c#  c.mount\nRequires=b.mount\n BindTo=d.device\nWants=e.mount\n',
  );
  t.is(
    withoutRequirements(text, () => false),
    text,
  );
});
