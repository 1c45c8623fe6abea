/** What p2c knows of a source before it lists its files. Read-only, and a matter of a second. */
import { posix } from 'node:path';
import { P2cError } from '../errors.ts';
import { type ByteString, byteString } from '../printable.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import { classifyMounts, type Filesystem } from './filesystems.ts';
import { parseMountinfo, parseProcMounts, unescapeOctal } from './mountinfo.ts';
import { parseAssignments, probeTools, type SourceTools } from './tools.ts';

export interface SourceFacts {
  readonly hostname: string;
  /** As `uname -m` says. */
  readonly machine: string;
  readonly kernel: string;
  /** Seconds by which the source's own clock is ahead of ours. */
  readonly clockAhead: number;
  /** `PRETTY_NAME` of os-release, the line of an older release file, or `unknown`. */
  readonly distribution: string;
  readonly filesystems: readonly Filesystem[];
  /** Files in use as swap space. */
  readonly swapFiles: readonly ByteString[];
  readonly tools: SourceTools;
}

/** The line after which the tables of swap space follow, as they are. */
const SWAP = 'swap:';

const FACTS = `
say() { printf '%s=%s\\n' "$1" "$2"; }
say hostname "$(hostname 2>/dev/null || uname -n)"
say machine "$(uname -m)"
say kernel "$(uname -r)"
say clock "$(date +%s)"
if [ -r /etc/os-release ]; then
  say distribution "$(sed -n '/^PRETTY_NAME=/{s///p;q;}' /etc/os-release)"
else
  for file in /etc/redhat-release /etc/SuSE-release /etc/debian_version /etc/slackware-version /etc/gentoo-release; do
    if [ -r "$file" ]; then
      case $file in */debian_version) say distribution "Debian $(sed -n 1p "$file")" ;; *) say distribution "$(sed -n 1p "$file")" ;; esac
      break
    fi
  done
fi
echo '${SWAP}'
cat /proc/swaps 2>/dev/null
cat /etc/fstab 2>/dev/null
true
`;

export const MOUNTS_COMMAND: RemoteCommand = {
  purpose: "read the kernel's table of mounts",
  script: `
if [ -r /proc/self/mountinfo ]; then echo mountinfo; cat /proc/self/mountinfo; else echo mounts; cat /proc/mounts; fi
`,
};

/**
 * @param mounts as {@link readFilesystems} gives them.
 * @throws P2cError `source.*` where the source lacks what a capture needs.
 */
export async function gatherFacts(session: Session, mounts = readFilesystems(session)): Promise<SourceFacts> {
  const [filesystems, tools, basics] = await Promise.all([
    mounts,
    probeTools(session),
    session.run({ purpose: 'read the facts of the system', script: FACTS }),
  ]);
  const swap = basics.stdout.indexOf(`\n${SWAP}\n`);
  const facts = parseAssignments(basics.stdout.toString('utf8', 0, Math.max(0, swap)));
  const machine = facts.get('machine') ?? '';
  // Half an answer would leave out the clock, by which it is told what changed in the second of a listing.
  if (machine === '' || swap < 0 || basics.code !== 0) {
    const what = machine === '' ? "does not answer 'uname -m'" : `does not tell its facts (exit code ${basics.code})`;
    throw new P2cError(`${session.target.name} ${what}`, {
      code: 'source.facts',
      hint: 'p2c needs a POSIX shell and the usual commands there',
    });
  }
  return {
    hostname: facts.get('hostname') ?? session.target.host,
    machine,
    kernel: facts.get('kernel') ?? 'unknown',
    clockAhead: Number(facts.get('clock') ?? Number.NaN) - Date.now() / 1000,
    distribution: unquote(facts.get('distribution') ?? '') || 'unknown',
    filesystems,
    swapFiles: swapFiles(byteString(basics.stdout.subarray(swap))),
    tools,
  };
}

/** os-release values are shell words (os-release(5)): quotes around, and backslashes before special characters. */
function unquote(value: string): string {
  return value.replace(/^(['"])(.*)\1$/s, '$2').replace(/\\(.)/gs, '$1');
}

/**
 * @param isLeftOut of what is left out where it lies, another place that shows it is taken.
 * @throws P2cError `source.mounts`.
 */
export async function readFilesystems(
  session: Session,
  isLeftOut?: (path: ByteString) => boolean,
): Promise<Filesystem[]> {
  const { stdout, code } = await session.run(MOUNTS_COMMAND);
  const newline = stdout.indexOf(0x0a);
  const table = stdout.subarray(newline + 1);
  const form = stdout.toString('latin1', 0, Math.max(0, newline));
  const mounts = form === 'mountinfo' ? parseMountinfo(table) : parseProcMounts(table);
  const filesystems = classifyMounts(mounts, isLeftOut);
  if (code !== 0 || !filesystems.some((mount) => mount.verdict === 'included')) {
    throw new P2cError(`no mounted filesystem was found on ${session.target.name} among ${mounts.length} mounts`, {
      code: 'source.mounts',
      hint: 'is /proc mounted there?',
    });
  }
  return filesystems;
}

/**
 * Files that are swap space now (/proc/swaps) or after the next boot (fstab(5)).
 *
 * Of `PATH file SIZE…` lines and `PATH none swap …` lines; devices are no files. People write fstab: `/srv//swap/` works there,
 * and is `/srv/swap` in a listing. The root is no file whatever a line says, and no name holds a NUL.
 */
export function swapFiles(text: ByteString): ByteString[] {
  const words = text.split('\n').flatMap((line) => /^(\/\S*)\s+(?:file\s|\S+\s+swap\s)/.exec(line)?.[1] ?? []);
  const paths = words.map((word) => plainPath(unescapeOctal(word)));
  return [...new Set(paths)].filter((path) => path !== '/' && !path.startsWith('/dev/') && !path.includes('\0'));
}

function plainPath(path: ByteString): ByteString {
  return (posix.normalize(path).replace(/\/$/, '') || '/') as ByteString;
}
