/** Why a stream is not passed on: where it is malformed, and entries that no importer takes. */
import { P2cError } from '../errors.ts';
import { type ByteString, printablePath } from '../printable.ts';
import type { Header } from './header.ts';
import type { PaxOverrides } from './pax.ts';

/**
 * Importers know POSIX's types only: `unhandled tar header type 83` is how they refuse GNU's sparse files.
 * @param sparse whether sparse files in pax headers were asked for.
 */
export function refuseType(
  header: Header,
  overrides: PaxOverrides,
  path: ByteString,
  offset: number,
  sparse: boolean,
): void {
  if (!'01234567'.includes(header.type)) {
    throw malformed(
      offset,
      path,
      `an entry of type '${header.type.replace(/[^\x21-\x7e]/, '?')}', which no importer takes`,
    );
  }
  const states = overrides.size ?? header.size;
  // Readers differ in whether such bytes are there, and what one passes over the other takes for entries.
  if ('123456'.includes(header.type) && states > 0) {
    throw malformed(offset, path, `an entry of type '${header.type}' that states ${states} bytes`);
  }
  if (overrides.sparse === undefined) return;
  if (!sparse) throw malformed(offset, path, 'a sparse file, which was not asked for');
  if (!overrides.sparse.known) throw malformed(offset, path, "a sparse file in another format than GNU's 1.0");
}

export function malformed(offset: number, path: ByteString | undefined, what: string): P2cError {
  const at = path === undefined ? 'at its first entry' : `at or after '${printablePath(path)}'`;
  return new P2cError(`the tar stream is malformed at byte ${offset}, ${at}: ${what}`, {
    code: 'tar.malformed',
    hint: "see what tar on the source says: p2c shows the source's last messages in its report",
  });
}
