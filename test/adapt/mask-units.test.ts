/** What is masked, and yet required by what the old server ran. */
import test from 'ava';
import { adapted, appliedAgain, layerOf } from '../helpers/adapting.ts';
import type { Tree } from '../helpers/runtime-image.ts';
import { SYSTEMS } from '../helpers/system-trees.ts';

const OWN = '/etc/systemd/system';
const VENDOR = 'usr/lib/systemd/system';
const TREE: Tree = {
  ...SYSTEMS['el7 (systemd)'],
  [`${VENDOR}/networking.service`]: '[Unit]\n[Service]\nExecStart=/sbin/ifup -a\n',
  [`${VENDOR}/networking.service.d/more.conf`]: '[Service]\nExecStartPre=/bin/false\n',
  [`${VENDOR}/NetworkManager.service`]: '[Unit]\n',
  [`${VENDOR}/NetworkManager-wait-online.service`]: '[Unit]\nRequires=NetworkManager.service\n',
  [`${VENDOR}/wicked.service`]: '[Unit]\n',
  [`${VENDOR}/wickedd.service`]: '[Unit]\nRequires=systemd-sysctl.service\n',
  [`${VENDOR}/systemd-sysctl.service`]: '[Unit]\n',
  [`${VENDOR}/systemd-udevd-control.socket`]: '[Unit]\n',
  'etc/systemd/system/network.service': { link: `/${VENDOR}/wicked.service` },
  'etc/systemd/system/app.service':
    '[Unit]\nRequires=networking.service\nBindsTo=network.service\nRequires=systemd-udevd-control.socket\n',
};

test('a masked service that another requires is there, and does nothing', async (t) => {
  const { after, passedOver } = await adapted(t, [layerOf(TREE)]);
  for (const unit of ['networking.service', 'network.service']) {
    t.is(after.target(`${OWN}/${unit}`), undefined, unit);
    t.regex(after.text(`${OWN}/${unit}`) ?? '', /^Type=oneshot\nRemainAfterExit=yes\nExecStart=\/bin\/true$/m, unit);
  }
  t.is(after.target(`${OWN}/networking.service.d/more.conf`), '/dev/null');
  t.is(after.text(`/${VENDOR}/wicked.service`), '[Unit]\n');
  // Required by what is masked itself, or by nothing.
  for (const unit of ['NetworkManager.service', 'systemd-sysctl.service', 'wicked.service', 'wickedd.service'])
    t.is(after.target(`${OWN}/${unit}`), '/dev/null', unit);
  t.deepEqual(passedOver, [
    { path: `${OWN}/app.service`, why: 'it requires systemd-udevd-control.socket, which is masked' },
  ]);
  t.deepEqual(appliedAgain(after), []);
});

test('so it is where a link says that it is required', async (t) => {
  const link = { 'etc/systemd/system/app.service.requires/wicked.service': { link: `/${VENDOR}/wicked.service` } };
  const { after } = await adapted(t, [layerOf({ ...TREE, ...link })]);
  t.regex(after.text(`${OWN}/wicked.service`) ?? '', /^ExecStart=\/bin\/true$/m);
});
