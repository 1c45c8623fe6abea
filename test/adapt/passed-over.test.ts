/** What recipes cannot look at or change stays, and is told. */
import test from 'ava';
import { adaptationReport, describeAdaptation } from '../../src/report/adaptation-report.ts';
import { adapted, layerOf } from '../helpers/adapting.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { SYSTEMS } from '../helpers/system-trees.ts';

const KEY = '/etc/ssh/ssh_host_rsa_key';
const STAYS = { path: KEY, why: 'it stays: what makes a new one has no place' };
const NO_FOLDER = 'its links go round, or what is above it is no folder';

for (const name of Object.keys(SYSTEMS)) {
  test(`of a system with nothing unusual nothing is passed over: ${name}`, async (t) => {
    t.deepEqual((await adapted(t, [layerOf(SYSTEMS[name] ?? {})])).passedOver, []);
  });
}

test('SSH host keys stay where the script that makes new ones has no place', async (t) => {
  const cases = [
    ['debian9 (systemd)', 'etc/p2c', '/etc/p2c/boot.d/ssh-host-keys'],
    ['debian9 (systemd)', 'etc/systemd/system/multi-user.target.wants', undefined],
    ['ubuntu12 (upstart)', 'etc/init/p2c-ssh-host-keys.conf/x', '/etc/init/p2c-ssh-host-keys.conf'],
  ] as const;
  for (const [name, file, told] of cases) {
    const { after, passedOver, recipes } = await adapted(t, [layerOf({ ...SYSTEMS[name], [file]: 'a file\n' })]);
    t.is(after.text(KEY), 'PRIVATE\n', file);
    t.false(recipes.includes('ssh-host-keys'), file);
    t.is(after.kind('/etc/p2c/boot.d/ssh-host-keys'), undefined, file);
    t.is(after.text(`/${file}`), 'a file\n', file);
    t.deepEqual(
      passedOver.map(({ path }) => path),
      [told ?? '/etc/systemd/system/multi-user.target.wants/p2c-ssh-host-keys.service', KEY].sort(),
    );
    t.deepEqual(
      passedOver.find(({ path }) => path === KEY),
      STAYS,
    );
  }
});

test('SSH host keys stay where nothing would run the script that makes new ones', async (t) => {
  const tree = layerOf(SYSTEMS['unknown (no init)'] ?? {});
  const { after, passedOver, recipes } = await adapted(t, [tree], [], {});
  t.is(after.text(KEY), 'PRIVATE\n');
  t.false(recipes.includes('ssh-host-keys'));
  t.is(after.kind('/etc/p2c/boot.d/ssh-host-keys'), undefined);
  t.deepEqual(passedOver, [{ path: KEY, why: 'it stays: neither an init nor a script would make a new one' }]);
});

test('SSH host keys in a folder that recipes do not look at stay, and that is told', async (t) => {
  const {
    'etc/ssh/ssh_host_rsa_key': key = '',
    'etc/ssh/ssh_host_rsa_key.pub': _,
    ...others
  } = SYSTEMS['el7 (systemd)'] ?? {};
  for (const target of ['/opt/ssh', '/opt']) {
    const tree = { ...others, 'etc/ssh': { link: target }, [`${target.slice(1)}/ssh_host_rsa_key`]: key };
    const { passedOver } = await adapted(t, [layerOf(tree)]);
    t.deepEqual(passedOver, [{ path: '/etc/ssh', why: `it leads to ${target}, where recipes do not look` }]);
  }
});

test('links out of sight, further names of unknown files, large files and folders are told once', async (t) => {
  const lower = layerOf({
    'etc/securetty': { link: '/srv/securetty' },
    'etc/pam.d': { link: '/srv/pam' },
    'etc/selinux/config': { link: '/run/selinux' },
    'etc/default/rcS': `${'x'.repeat(2 * 1024 * 1024)}\n`,
    'etc/mtab/file': 'a folder\n',
    'data/fstab': 'LABEL=root / ext3 defaults 1 1\n',
  });
  const upper = rawTar([
    { name: './', type: '5' },
    { name: './etc/', type: '5' },
    { name: './etc/fstab', type: '1', link: './data/fstab' },
  ]);
  const { passedOver } = await adapted(t, [lower, upper]);
  t.deepEqual(passedOver, [
    { path: '/etc/default/rcS', why: 'it is larger than what people write by hand' },
    { path: '/etc/fstab', why: 'it is a hard link to /data/fstab, which is not in its layer' },
    { path: '/etc/mtab', why: 'what lies there is no file' },
    { path: '/etc/pam.d', why: 'it leads to /srv/pam, where recipes do not look' },
    { path: '/etc/securetty', why: 'it leads to /srv/securetty, where recipes do not look' },
  ]);
});

test('the report says what was not adapted', async (t) => {
  const system = {
    distribution: 'el',
    name: 'el',
    version: 5,
    init: 'none',
    runlevel: undefined,
    systemd: undefined,
  } as const;
  const report = adaptationReport({
    system,
    applied: [],
    passedOver: [{ path: '/etc/p2c/boot.d/ssh-host-keys', why: NO_FOLDER }],
    layer: undefined,
  });
  t.deepEqual(describeAdaptation(report).slice(1), [
    'Not adapted 1 path:',
    `              /etc/p2c/boot.d/ssh-host-keys: ${NO_FOLDER}`,
  ]);
});
