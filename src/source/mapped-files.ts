/**
 * Files that processes write through memory. A page that is dirty already takes further writes without a trace in the
 * file's times until the kernel writes it back, so a comparison of listings can miss them: a copy made while they are
 * mapped is never trusted.
 */
import { type ByteString, byteString } from '../printable.ts';
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
 */
export async function mappedFiles(session: Session): Promise<ReadonlySet<ByteString>> {
  const { stdout } = await session.run(MAPPED_FILES_COMMAND);
  return new Set(parseMappedFiles(stdout));
}

/** Newlines in names are written as `\\012`; a file that is gone has ` (deleted)` behind its name, and matters no more. */
export function parseMappedFiles(output: Uint8Array): ByteString[] {
  return byteString(output)
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith(' (deleted)'))
    .map(unescapeOctal);
}
