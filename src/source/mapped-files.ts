/**
 * Files that processes write through memory. A page that is dirty already takes further writes without a trace in the
 * file's times until the kernel writes it back, so a comparison of listings can miss them: a copy made while they are
 * mapped is never trusted.
 */
import { P2cError } from '../errors.ts';
import { type ByteString, byteString, printable } from '../printable.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import { unescapeOctal } from './mountinfo.ts';

/** Lines of /proc/PID/maps (proc(5)) that are shared and writable, of all processes. */
const SCRIPT =
  "cat /proc/[0-9]*/maps 2>/dev/null | sed -n 's/^[^ ]* [r-]w[x-]s [^ ]* [^ ]* [^ ]* *\\(\\/.*\\)$/\\1/p' | sort -u";

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
  const { stdout, stderr, code } = await session.run(MAPPED_FILES_COMMAND);
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
    .filter((line) => line !== '' && !line.endsWith(' (deleted)'))
    .map(unescapeOctal);
}
