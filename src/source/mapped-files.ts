/**
 * Files that processes write through memory. A page that is dirty already takes further writes without a trace in the
 * file's times until the kernel writes it back, so a comparison of listings can miss them: a copy made while they are
 * mapped is never trusted.
 */
import { P2cError } from '../errors.ts';
import { type ByteString, byteString, printable } from '../printable.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import { unescapeOctal } from './mountinfo.ts';

/**
 * Lines of /proc/PID/maps (proc(5)) that are shared and writable, of all processes, and cat's exit code among them: a pipe has
 * that of its last command. 1 is ordinary, for processes end meanwhile.
 */
const SCRIPT = `{ cat /proc/[0-9]*/maps; echo "p2c-cat $?"; } 2>/dev/null |
  sed -n -e 's/^[^ ]* [r-]w[x-]s [^ ]* [^ ]* [^ ]* *\\(\\/.*\\)$/\\1/p' -e '/^p2c-cat /p' | sort -u`;

export const MAPPED_FILES_COMMAND: RemoteCommand = {
  purpose: 'see which files are written through memory',
  script: SCRIPT,
};

/**
 * To be asked after a listing and before what it lists is read: what is mapped later is written for the first time later,
 * and that the listings show.
 * @throws P2cError `source.mapped`: an answer that is lacking would pass for "none".
 */
export async function mappedFiles(session: Session): Promise<ReadonlySet<ByteString>> {
  const { stdout, stderr, code: ended } = await session.run(MAPPED_FILES_COMMAND);
  const read = /^p2c-cat (\d+)$/m.exec(stdout.toString('latin1'))?.[1];
  // Where even sort did not run, its own code tells more.
  const code = ended === 0 && read !== '0' && read !== '1' ? (read ?? 'unknown') : ended;
  if (code !== 0) {
    throw new P2cError(
      `${session.target.name} does not tell which files are written through memory (exit code ${code})`,
      {
        code: 'source.mapped',
        hint: 'copy without --hot; the cause is what the server said',
        cause: new Error(printable(stderr.trim().slice(-500), { newlines: true }) || 'it said nothing'),
      },
    );
  }
  return new Set(parseMappedFiles(stdout));
}

/** Newlines in names are written as `\\012`; a file that is gone has ` (deleted)` behind its name, and matters no more. */
export function parseMappedFiles(output: Uint8Array): ByteString[] {
  return byteString(output)
    .split('\n')
    .filter((line) => line.startsWith('/') && !line.endsWith(' (deleted)'))
    .map(unescapeOctal);
}
