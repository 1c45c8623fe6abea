/** The probe runs for real, against programs that answer as those of many systems do. */
import { chmodSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { probeTools, requireTar, type SourceTools } from '../../src/source/tools.ts';
import { localSession } from '../helpers/local-session.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

interface Program {
  readonly version: string;
  /** What --help says; a program without --version says this to everything. */
  readonly help: string;
}

/** The options of each tar that p2c asks for, in its own words. */
const GNU_115 =
  "GNU `tar' saves many files together\n  --ignore-failed-read\n  --null  -T reads null-terminated names\n  --no-recursion\n  -H, --format=FORMAT  create archive of the given format\n  posix  POSIX 1003.1-2001 (pax) format\n  --numeric-owner";
const GNU_123_RHEL = `${GNU_115}\n  --hard-dereference  follow hard links\n  --xattrs  Save the extended attributes\n  --acls  Save the ACLs`;
const GNU_126 = `${GNU_115}\n  --hard-dereference   follow hard links`;
const GNU_134 = `${GNU_123_RHEL}\n  --no-unquote  do not unquote input file or member names\n  --xattrs-include=MASK  specify the include pattern for xattr keys`;
const BSD =
  'bsdtar(bsdtar): manipulate archive files\nFirst option must be a mode specifier:\n  -c Create  --exclude <pattern>\n  --format {ustar|pax|cpio|shar}';
const BUSYBOX =
  'BusyBox v1.19.4 (2014-01-01) multi-call binary.\n\nUsage: tar -[cxtzjhvO] [-X FILE] [-T FILE] [-f TARFILE] [-C DIR] [FILE]...\n\nCreate, extract, or list files from a tar file';
const TOYBOX =
  "usage: tar [-cxt] [-fvohmjkOS] [-XTCf NAME] [FILE...]\n\nCreate, extract, or list files in a .tar (or compressed t?z) file.\n\n--no-recursion  Don't store children  --null  Filenames in -T FILE are null-separated  --numeric-owner";

const TARS: readonly [Program, Partial<SourceTools['tar']>][] = [
  [
    { version: 'tar (GNU tar) 1.15.1', help: GNU_115 },
    {
      flavour: 'gnu',
      takesNames: true,
      noUnquote: false,
      posixFormat: true,
      xattrs: false,
      xattrsInclude: false,
      hardDereference: false,
    },
  ],
  [
    { version: 'tar (GNU tar) 1.23', help: GNU_123_RHEL },
    { flavour: 'gnu', takesNames: true, xattrs: true, xattrsInclude: false, acls: true, hardDereference: true },
  ],
  [
    { version: 'tar (GNU tar) 1.26', help: GNU_126 },
    { flavour: 'gnu', takesNames: true, xattrs: false, acls: false, hardDereference: true },
  ],
  [
    { version: 'tar (GNU tar) 1.34', help: GNU_134 },
    {
      flavour: 'gnu',
      takesNames: true,
      noUnquote: true,
      posixFormat: true,
      xattrs: true,
      xattrsInclude: true,
      acls: true,
    },
  ],
  [
    { version: 'bsdtar 3.6.2 - libarchive 3.6.2 zlib/1.2.13', help: BSD },
    { flavour: 'bsd', takesNames: false },
  ],
  [
    { version: 'tar (busybox) 1.35.0', help: BUSYBOX },
    { flavour: 'busybox', takesNames: false, xattrs: false },
  ],
  [
    { version: '', help: `tar: unrecognized option '--version'\n${BUSYBOX}` },
    { flavour: 'busybox', takesNames: false },
  ],
  [
    { version: 'toybox 0.8.9', help: TOYBOX },
    { flavour: 'toybox', takesNames: false },
  ],
  [
    { version: '', help: 'Usage: tar {txruc}[vfbFXhiBDEelmopwnq[0-7]]' },
    { flavour: 'unknown', takesNames: false },
  ],
];

/** A program that knows only how to say what it is; find and stat go on to the machine's own where `real` is told. */
function install(folder: string, name: string, { version, help }: Program, real = 'exit 1'): void {
  const say = (text: string): string => `cat <<'END'\n${text}\nEND`;
  writeFileSync(
    `${folder}/${name}`,
    `#!/bin/sh\ncase $1 in\n--version) ${say(version === '' ? help : version)}\n;;\n--help) ${say(help)}\n;;\n*) ${real}\n;;\nesac\n`,
  );
  chmodSync(`${folder}/${name}`, 0o755);
}

async function probe(t: ExecutionContext, programs: (folder: string) => void): Promise<SourceTools> {
  const path = await temporaryFolder(t);
  programs(path);
  return probeTools(localSession({ path }));
}

for (const [program, expected] of TARS) {
  test(`tar: ${program.version || program.help.slice(0, 60)}`, async (t) => {
    const tools = await probe(t, (folder) => install(folder, 'tar', program));
    t.like(tools.tar, expected);
    if (program.version !== '') t.is(tools.tar.version, program.version);
    if (expected.takesNames === true) t.notThrows(() => requireTar(tools, 'root@old', false));
    else
      t.throws(() => requireTar(tools, 'root@old', false), {
        message: /the tar of root@old cannot read a list of names/,
      });
  });
}

const BUSYBOX_FIND = 'BusyBox v1.35.0 multi-call binary.\n\nUsage: find [-HL] [PATH]... [OPTIONS] [ACTIONS]';
const WITHOUT_PRINTF =
  'case "$*" in *-printf*) echo "find: unrecognized: -printf" >&2; exit 1 ;; esac; exec /usr/bin/find "$@"';

const FINDS: readonly [string, Program, string, Partial<SourceTools>][] = [
  [
    'find 4.2 prints whole seconds',
    { version: 'GNU find version 4.2.27', help: 'Usage: find' },
    `exec /usr/bin/find "$@" | sed 's/\\.[0-9]\\{10\\}//g'`,
    { lister: 'find -printf', nanoseconds: false },
  ],
  [
    'find 4.4',
    { version: 'find (GNU findutils) 4.4.2', help: 'Usage: find' },
    'exec /usr/bin/find "$@"',
    { lister: 'find -printf', nanoseconds: true },
  ],
  [
    'find 4.9',
    { version: 'find (GNU findutils) 4.9.0\nCopyright (C) 2022', help: 'Usage: find' },
    'exec /usr/bin/find "$@"',
    { lister: 'find -printf', nanoseconds: true },
  ],
  [
    'busybox find',
    { version: '', help: `find: unrecognized: --version\n${BUSYBOX_FIND}` },
    WITHOUT_PRINTF,
    { lister: 'find | xargs stat', nanoseconds: true },
  ],
  [
    'a find without -print0',
    { version: '', help: BUSYBOX_FIND },
    `case "$*" in *-print0*) exit 1 ;; esac; ${WITHOUT_PRINTF}`,
    { lister: 'find -exec stat', nanoseconds: true },
  ],
  [
    'a find that knows -printf by half',
    { version: 'toybox 0.8.9', help: 'usage: find' },
    `case "$*" in *-printf*) echo 'd 755 0 0 4096 8 ? ? 1 2 1 /'; exit 0 ;; esac; exec /usr/bin/find "$@"`,
    { lister: 'find | xargs stat', nanoseconds: true },
  ],
];

for (const [what, program, real, expected] of FINDS) {
  test(what, async (t) => {
    const tools = await probe(t, (folder) => install(folder, 'find', program, real));
    t.like(tools, expected);
    t.is(
      tools.find.flavour,
      /busybox/i.test(program.help) ? 'busybox' : program.version.startsWith('toybox') ? 'toybox' : 'gnu',
    );
  });
}

test('a find without -printf and a stat without -c are a clear error', async (t) => {
  const probed = probe(t, (folder) => {
    install(folder, 'find', { version: '', help: BUSYBOX_FIND }, WITHOUT_PRINTF);
    install(folder, 'stat', { version: '', help: 'usage: stat [-x] FILE' });
  });
  await t.throwsAsync(probed, { code: 'source.find', message: /has no -printf \('BusyBox v1\.35\.0/ });
});

test('a version with escapes is not obeyed by a terminal', async (t) => {
  const tools = await probe(t, (folder) => install(folder, 'tar', { version: 'evil\u001b[2Jtar', help: 'none' }));
  const error = t.throws(() => requireTar(tools, 'root@old', false));
  t.false(error?.message.includes('\u001b'));
});
