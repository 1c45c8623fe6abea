/** Links in the places of bind mounts: where one helps, and where it would do harm. */
import test, { type ExecutionContext } from 'ava';
import { recordedIn } from '../../src/adapt/recorded.ts';
import { type Bind, bindsLabel, bindsOf } from '../../src/oci/binds.ts';
import { SYSTEM_LABELS } from '../../src/oci/system-labels.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import { type Adapted, adaptedAgain, appliedAgain } from '../helpers/adapting.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { storeWith } from '../helpers/runtime-image.ts';

function bind(place: string, original: string): Bind {
  return { place: byteStringFromText(place), original: byteStringFromText(original) };
}

function folders(...paths: readonly string[]): RawEntry[] {
  const all = new Set<string>(['/']);
  for (const path of paths) {
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) all.add(path.slice(0, end + 1));
    all.add(`${path}/`);
  }
  return [...all].sort().map((path) => ({ name: `.${path}`, type: '5' }));
}

interface Server {
  readonly binds: readonly Bind[];
  readonly entries: readonly RawEntry[];
  readonly volumes?: readonly string[];
  readonly without?: string[];
}

async function adapted(t: ExecutionContext, { binds, entries, volumes = [], without = [] }: Server): Promise<Adapted> {
  const Volumes = Object.fromEntries(volumes.map((path) => [path, {}]));
  const { root, image } = await storeWith(t, [rawTar(entries)], { Labels: bindsLabel(binds), Volumes });
  return adaptedAgain(root, image, without);
}

const notes = ({ passedOver }: Adapted): string[] => passedOver.map(({ path, why }) => `${path}: ${why}`);

test('a link comes in the place of a bind mount, and of its own result nothing is changed', async (t) => {
  const binds = [bind('/var/www', '/data/www'), bind("/srv/ü o'x", '/data/ü\n$(x)'), bind('/opt/x', '/data/no')];
  const odd = ["/srv/ü o'x", '/data/ü\n$(x)'].map(byteStringFromText);
  const entries = [...folders('/var/www', '/data/www', ...odd, '/opt/y'), file('/data/www/a')];
  const made = await adapted(t, { binds, entries });
  t.is(made.after.target('/var/www'), '/data/www');
  t.is(made.after.real('/var/www/a'), '/data/www/a');
  t.is(made.after.target(byteStringFromText("/srv/ü o'x")), byteStringFromText('/data/ü\n$(x)'));
  t.deepEqual(made.recipes, ['binds']);
  t.deepEqual(notes(made), [], 'what the image has no folder for is nothing to tell');
  t.deepEqual(appliedAgain(made.after, recordedIn(made.image)), []);
  const again = await adaptedAgain(made.root, made.image);
  t.is(again.image.digest, made.image.digest);
  t.deepEqual(bindsOf(again.image), binds, 'the label stays, for the next time');
});

function file(path: string): RawEntry {
  return { name: `.${path}`, content: 'x' };
}

test('without the recipe all stays as it is, and a later adaptation makes the link', async (t) => {
  const server = { binds: [bind('/var/www', '/data/www')], entries: folders('/var/www', '/data/www') };
  const left = await adapted(t, { ...server, without: ['binds'] });
  t.is(left.after.kind('/var/www'), 'directory');
  t.is((await adaptedAgain(left.root, left.image)).after.target('/var/www'), '/data/www');
});

test('long and odd targets reach the layer byte for byte', async (t) => {
  const odd = `/data/\xff${'n'.repeat(200)}` as ByteString;
  const binds = [{ place: byteStringFromText('/a'), original: odd }];
  t.deepEqual(bindsOf(imageWith(bindsLabel(binds))), binds);
  // The helper writes records as UTF-8: this name goes into the header, which has room for 100 bytes.
  const short = odd.slice(0, 60) as ByteString;
  const entries = [...folders('/a', '/data'), { name: `.${short}/`, type: '5' }];
  const made = await adapted(t, { binds: [{ place: byteStringFromText('/a'), original: short }], entries });
  t.is(made.after.target('/a'), short);
  const long = `/data/${'m'.repeat(90)}/${'n'.repeat(60)}`;
  const deep = await adapted(t, {
    binds: [bind('/a', long)],
    entries: [
      ...folders('/a', '/data', `/data/${'m'.repeat(90)}`),
      { name: 'long', type: '5', pax: { path: `.${long}/` } },
    ],
  });
  t.is(deep.after.target('/a'), long);
});

test('where a link would do harm or no good, the folder stays, and the report says why', async (t) => {
  const binds = [
    bind('/var/named/chroot/etc/named', '/etc/named'),
    bind('/var/spool/postfix/data', '/srv/data'),
    bind('/home', '/srv/home'),
    bind('/var/lib/mysql', '/srv/mysql'),
    bind('/mnt/shop/www', '/srv/data'),
    bind('/gone', '/srv/gone'),
    bind('/linked/www', '/srv/data'),
    bind('/etc/one', '/srv/file'),
    bind('/around', '/around/in'),
    bind('/fine', '/vol/in'),
  ];
  const made = await adapted(t, {
    binds,
    volumes: ['/var/lib/mysql/db', '/mnt/shop', '/vol'],
    entries: [
      ...folders(
        '/etc/named',
        '/var/named/chroot/etc/named',
        '/var/spool/postfix/data',
        '/var/spool/postfix/etc',
        '/var/spool/postfix/dev',
        '/var/spool/postfix/usr',
        '/srv/data',
        '/srv/home',
        '/srv/mysql',
        '/home/alice',
        '/var/lib/mysql',
        '/mnt/shop/www',
        '/gone',
        '/elsewhere/www',
        '/around/in',
        '/fine',
        '/vol',
      ),
      { name: './linked', type: '2', link: '/elsewhere' },
      file('/etc/one'),
      file('/srv/file'),
    ],
  });
  t.deepEqual(notes(made), [
    '/around: it was a bind mount of /around/in: the image has something in it: in',
    '/gone: it was a bind mount of /srv/gone: the image has no such folder',
    '/home: it was a bind mount of /srv/home: the image has something in it: alice',
    '/linked/www: it was a bind mount of /srv/data: what is above it is a link',
    '/mnt/shop/www: it was a bind mount of /srv/data: the volume /mnt/shop is mounted there; a capture with --exclude /srv/data has the files in it',
    '/var/lib/mysql: it was a bind mount of /srv/mysql: the volume /var/lib/mysql/db is mounted there; a capture with --exclude /srv/mysql has the files in it',
    '/var/named/chroot/etc/named: it was a bind mount of /etc/named: a link leads nowhere for programs whose root is /var/named/chroot',
    '/var/spool/postfix/data: it was a bind mount of /srv/data: a link leads nowhere for programs whose root is /var/spool/postfix',
  ]);
  t.deepEqual(made.files, ['/fine', '/etc/mtab']);
});

test('a bind mount below another is found behind the link of that one', async (t) => {
  // With shared propagation the kernel has the inner one at both places.
  const binds = [bind('/a', '/srv/a'), bind('/a/b', '/opt/b'), bind('/srv/a/b', '/opt/b')];
  const made = await adapted(t, { binds, entries: folders('/a', '/srv/a/b', '/opt/b') });
  t.is(made.after.real('/a/b'), '/opt/b');
  t.deepEqual(made.files, ['/a', '/srv/a/b']);
  t.deepEqual(notes(made), []);
  const alone = await adapted(t, { binds: binds.slice(0, 2), entries: folders('/a', '/srv/a/b', '/opt/b') });
  t.deepEqual(notes(alone), ['/a/b: it was a bind mount of /opt/b: what is above it is a link']);
});

function imageWith(Labels: Record<string, string>): Parameters<typeof bindsOf>[0] {
  const rootfs = { type: 'layers' as const, diff_ids: [] };
  return { config: { architecture: 'amd64', os: 'linux', rootfs, config: { Labels } } };
}

test('of a label that p2c did not write nothing is taken', (t) => {
  const read = (label: string): Bind[] => bindsOf(imageWith({ [SYSTEM_LABELS.binds]: label }));
  t.deepEqual(read('[{"place":"/a","original":"/b"}]'), [bind('/a', '/b')]);
  for (const path of ['', 'a', '/', '/a/', '/a/../b', '/a//b', '/a/.', '/a\\u0000']) {
    t.deepEqual(read(`[{"place":"${path}","original":"/b"}]`), [], path);
    t.deepEqual(read(`[{"place":"/b","original":"${path}"}]`), [], path);
  }
  for (const label of ['', '{}', '[1]', 'x', '[{"place":"/a"}]']) t.deepEqual(read(label), [], label);
  const many = Array.from({ length: 2000 }, (_, at) => bind(`/a/${at}`, `/b/${at}`));
  t.is(bindsOf(imageWith(bindsLabel(many))).length, 1000);
  t.deepEqual(bindsLabel([]), {});
});
