/** Files with fewer blocks than bytes, on disks that compress and on others. */
import test from 'ava';
import type { Entry } from '../../src/listing/entry.ts';
import { makePlan } from '../../src/listing/plan.ts';
import type { RuleSet, SparsePolicy } from '../../src/listing/rules.ts';
import { Judgement } from '../../src/pipeline/judgement.ts';
import { rulesOf } from '../../src/pipeline/stages/rules.ts';
import type { ByteString } from '../../src/printable.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo, parseProcMounts } from '../../src/source/mountinfo.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { batches, directory, entry } from '../helpers/entries.ts';
import { situation } from '../helpers/inspection.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const GIB = 1024 ** 3;
const BLOCKS = GIB / 512;

const MOUNTINFO = `1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 0:40 / /srv rw - zfs tank/srv rw
3 2 8:2 / /srv/images rw - xfs /dev/sdb1 rw
4 1 8:3 / /flash rw - f2fs /dev/sdc1 rw
5 1 0:50 / /btr rw - btrfs /dev/sdd1 rw,subvolid=5,subvol=/
6 1 0:40 /db /bound rw - zfs tank/srv rw
`;
const PROC_MOUNTS = `/dev/sda1 / ext4 rw 0 0
tank/srv /srv zfs rw 0 0
/dev/sdb1 /srv/images xfs rw 0 0
/dev/sdc1 /flash f2fs rw 0 0
`;

const FILESYSTEMS = classifyMounts(parseMountinfo(Buffer.from(MOUNTINFO)));

function rules(sparse: SparsePolicy = 'skip', filesystems = FILESYSTEMS): RuleSet {
  const connect = { retries: 0 };
  const request = { target: parseTarget('root@old'), connect, profiles: [], recognise: false, rules: [], sparse };
  return rulesOf(request, { ...situation().facts, filesystems });
}

/** Of 6 GiB, of which the disk holds four. */
function compressed(path: string): Entry {
  return entry(path, { size: 6 * GIB, blocks: 4 * BLOCKS });
}

for (const [form, filesystems] of [
  ['mountinfo', FILESYSTEMS],
  ['/proc/mounts', classifyMounts(parseProcMounts(Buffer.from(PROC_MOUNTS)))],
] as const) {
  test(`what a disk compressed is no hole, by ${form}`, (t) => {
    const decide = (file: Entry) => rules('skip', filesystems).decide(file)?.id;
    for (const path of ['/srv/db', '/srv/a/b/ibdata1', '/flash/db', '/srv/imagesx/db'])
      t.is(decide(compressed(path)), undefined, path);
    for (const path of ['/db', '/srv/images/disk', '/srvx', '/flashx/y'])
      t.is(decide(compressed(path)), 'sparse', path);
  });
}

test('btrfs counts the blocks of the content: what lacks are holes', (t) => {
  t.is(rules().decide(compressed('/btr/disk'))?.id, 'sparse');
});

test('on a disk that compresses, a file with next to no blocks is holes all the same', (t) => {
  const decide = (size: number, blocks: number, path = '/srv/x') => rules().decide(entry(path, { size, blocks }))?.id;
  t.is(decide(400 * GIB, 700), 'sparse');
  t.is(decide(2 * GIB, 1), 'sparse', 'what is not booked yet');
  t.is(decide(2 * GIB, (2 * BLOCKS) / 255), undefined, 'lz4 at its best');
  t.is(decide(512 * 2000 * 2000, 4000), undefined, 'a thousandth');
  t.is(decide(512 * 2000 * 2000, 3999), 'sparse');
});

test('an audit names no hole where the disk compresses', (t) => {
  const judgement = new Judgement({ filesystems: FILESYSTEMS, rules: rules(), profiles: [] });
  const walk = judgement.walk('/' as ByteString);
  const middling = { size: 64 * 1024 ** 2, blocks: 1000 };
  for (const each of [
    directory('/'),
    entry('/holes', middling),
    directory('/srv'),
    entry('/srv/text', middling),
    entry('/srv/holes', { ...middling, blocks: 1 }),
  ])
    walk.add(each);
  const found = judgement.result([]).anatomy.hazards.find(({ kind }) => kind === 'file with holes');
  t.deepEqual(found?.examples, ['/holes', '/srv/holes'] as ByteString[]);
});

test('without its holes written out, what is compressed still takes its size in the stream', async (t) => {
  const sizeOf = async (file: Entry, policy: SparsePolicy): Promise<number> =>
    (await makePlan(batches(file), rules(policy), await temporaryFolder(t))).tarBytes - 1536;
  t.is(await sizeOf(compressed('/srv/db'), 'pax'), 6 * GIB);
  t.is(await sizeOf(compressed('/disk'), 'pax'), 4 * GIB);
  t.is(await sizeOf(compressed('/disk'), 'expand'), 6 * GIB);
});
