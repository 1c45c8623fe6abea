import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { unseenIn } from '../../src/listing/blind-spots.ts';
import { type RuleInput, RuleSet } from '../../src/listing/rules.ts';
import { listFilesystems } from '../../src/pipeline/stages/list.ts';
import { type ByteString, byteStringFromText, printablePath } from '../../src/printable.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import type { Session } from '../../src/ssh/session.ts';
import { collect } from '../helpers/entries.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const ROOT = '27 1 0:41 /@ / rw - btrfs /dev/a rw,subvolid=256,subvol=/@\n';

/** Records of directories, as find prints them: `DEVICE:INODE PATH`. */
function records(...lines: readonly string[]): Buffer {
  const parts = lines.map((line) => {
    const [, device, inode, path] = /^(\d+):(\d+) (.*)$/s.exec(line) ?? [];
    return `d 755 0 0 10 0 1.5 1.5 ${device} ${inode} 1 ${path}\0\0`;
  });
  return Buffer.from(parts.join(''), 'latin1');
}

interface Server {
  /** What find prints by where it starts, as the purpose has it; elsewhere there is nothing. */
  readonly finds: Readonly<Record<string, Buffer | (() => Buffer)>>;
  /** The table of mounts each time that it is read; the last one stays. */
  readonly tables: readonly string[];
}

/** A session with such a server; `read` counts the tables that were asked for. */
function sessionWith({ finds, tables }: Server): Session & { read: number } {
  return {
    target: { user: 'root', host: 'lab', port: 22, name: 'root@lab' },
    privilege: 'root',
    ledger: [],
    read: 0,
    run() {
      const stdout = Buffer.from(`mountinfo\n${tables[this.read] ?? tables.at(-1)}`);
      this.read += 1;
      return Promise.resolve({ code: 0, stdout, stderr: '', durationMs: 0 });
    },
    stream({ purpose }, onStderr) {
      const path = purpose.replace(/^list (?:the \w+ )?/, '');
      const said = finds[path];
      if (said === undefined) onStderr?.(Buffer.from(`find: '${path}': No such file or directory\n`));
      const result = { code: said === undefined ? 1 : 0, stdout: Buffer.alloc(0), stderr: '', durationMs: 0 };
      const stdout = Readable.from(said === undefined ? [] : [typeof said === 'function' ? said() : said]);
      return Promise.resolve({ stdout, done: Promise.resolve(result), kill: () => {} });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface Outcome {
  readonly paths: readonly string[];
  readonly starts: readonly string[];
  readonly problems: readonly string[];
  readonly places: readonly string[];
  readonly covered: readonly string[];
  readonly tablesRead: number;
}

async function listed(t: ExecutionContext, server: Server, ...rules: readonly RuleInput[]): Promise<Outcome> {
  const session = sessionWith(server);
  const facts = { filesystems: classifyMounts(parseMountinfo(Buffer.from(ROOT))) };
  const input = { session, facts, rules: new RuleSet(rules), reason: '' as const, retries: 0, note: () => {} };
  const { listing, starts, places, covered, problems } = await listFilesystems(
    input,
    await temporaryFolder(t),
    () => {},
  );
  return {
    paths: (await collect(listing.batches())).map(({ path }) => path),
    starts: starts.map(({ path, what }) => `${what} ${path}`),
    problems,
    places: [...places],
    covered: [...covered],
    tablesRead: session.read,
  };
}

const rule = (action: RuleInput['action'], pattern: string): RuleInput => ({
  level: action === 'include' ? 'command line' : 'base',
  action,
  pattern,
  reason: 'test',
});

test('subvolumes that are not mounted are listed, those within them too, and not those that a rule leaves out', async (t) => {
  const server = {
    tables: [ROOT],
    finds: {
      '/': records('41:256 /', '41:257 /srv', '42:256 /srv/data', '44:256 /.snapshots/1/snapshot'),
      '/srv/data': records('42:256 /srv/data', '42:257 /srv/data/x', '43:256 /srv/data/deep'),
      '/srv/data/deep': records('43:256 /srv/data/deep', '43:300 /srv/data/deep/y', '39:2 /srv/data/deep/was'),
      '/.snapshots/1/snapshot': records('44:256 /.snapshots/1/snapshot', '44:257 /.snapshots/1/snapshot/etc'),
    },
  };
  const snapshots = rule('exclude', '/**/.snapshots/*/snapshot/**');
  t.deepEqual(await listed(t, server, snapshots), {
    tablesRead: 3,
    places: ['/srv/data/deep/was'],
    covered: [],
    paths: [
      '/',
      '/.snapshots/1/snapshot',
      '/srv',
      '/srv/data',
      '/srv/data/deep',
      '/srv/data/deep/was',
      '/srv/data/deep/y',
      '/srv/data/x',
    ],
    starts: ['filesystem /', 'subvolume /srv/data', 'subvolume /srv/data/deep'],
    problems: [],
  });
  const { starts } = await listed(t, server, snapshots, rule('include', '/.snapshots/1/snapshot/etc/passwd'));
  t.deepEqual(starts[1], 'subvolume /.snapshots/1/snapshot', 'a rule brings something of it back');
});

test('where find entered all, the table of mounts is not read again', async (t) => {
  t.is((await listed(t, { tables: [ROOT], finds: { '/': records('41:256 /', '41:257 /srv') } })).tablesRead, 0);
});

const NFS = `${ROOT}60 27 0:60 / /srv rw - nfs4 filer:/x rw\n`;
const DISK = `${ROOT}60 27 8:17 / /srv rw - ext4 /dev/sdb1 rw\n`;

test('what was mounted over a subvolume before its find began is not walked', async (t) => {
  const server = (after: string): Server => ({
    tables: [ROOT, after],
    finds: { '/': records('41:256 /', '42:256 /srv'), '/srv': records('60:256 /srv', '60:257 /srv/foreign') },
  });
  const nfs = await listed(t, server(NFS));
  t.deepEqual([nfs.paths, nfs.problems, nfs.covered], [['/', '/srv'], [], ['/srv']]);
  const disk = await listed(t, server(DISK));
  t.deepEqual(disk.paths, ['/', '/srv']);
  t.deepEqual(disk.problems, ["p2c: '/srv': a filesystem was mounted there meanwhile"]);
});

test('a subvolume in whose place another came is listed; one that is gone is no complaint', async (t) => {
  const server = {
    tables: [ROOT],
    finds: {
      '/': records('41:256 /', '42:256 /gone', '43:256 /srv'),
      '/srv': records('60:256 /srv', '60:257 /srv/new'),
    },
  };
  const { paths, problems, starts } = await listed(t, server);
  t.deepEqual([paths, problems], [['/', '/gone', '/srv', '/srv/new'], []]);
  t.deepEqual(starts.slice(1), ['subvolume /gone', 'subvolume /srv', 'subvolume /srv']);
});

test('one that is another at each look is told, and not followed for ever', async (t) => {
  let device = 42;
  const changed = (): Buffer => {
    device += 1;
    return records(`${device}:256 /changes`);
  };
  const server = {
    tables: [ROOT],
    finds: { '/': records('41:256 /', '42:256 /changes'), '/changes': changed },
  };
  const { paths, problems } = await listed(t, server);
  t.deepEqual(paths, ['/', '/changes']);
  t.deepEqual(problems, ["p2c: '/changes': something else is there at each look"]);
});

test('a directory of another device that nothing explains is looked at once more, and then told', async (t) => {
  const odd = "/odd\xff o'x\n";
  const server = {
    tables: [ROOT],
    finds: {
      '/': records('41:256 /', `2049:2 ${odd}`, '2049:2 /moment', '41:300 /z'),
      [printablePath(odd as ByteString)]: records(`2049:2 ${odd}`, `2049:3 ${odd}/foreign`),
      '/moment': records('41:301 /moment', '41:302 /moment/own'),
    },
  };
  const { paths, problems } = await listed(t, server);
  t.deepEqual(paths, ['/', '/moment', '/moment/own', odd, '/z']);
  t.deepEqual(problems.map(unseenIn), [
    { path: odd as ByteString, reason: 'it is of another device, and the table of mounts does not have it' },
  ]);
});

/** As stat has the device of anonymous number `minor`. */
const anonymous = (minor: number): number => (minor % 256) + Math.floor(minor / 256) * 2 ** 20;

test('of very many subvolumes a bounded number is followed, and each of the others is told', async (t) => {
  const names = Array.from({ length: 1500 }, (_, n) => `/s/${String(n).padStart(4, '0')}`);
  const lines = names.map((path, n) => `${anonymous(n + 100)}:256 ${path}`);
  const { starts, problems } = await listed(t, { tables: [ROOT], finds: { '/': records('41:256 /', ...lines) } });
  t.is(starts.length, 1001);
  t.is(problems.length, 500);
  t.deepEqual(unseenIn(problems.at(-1) ?? '')?.path, byteStringFromText('/s/1499'));
});
