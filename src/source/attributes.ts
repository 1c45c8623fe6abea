/**
 * Extended attributes of a source whose tar does not carry them (GNU tar before 1.27, as RHEL 6 has it): read beside the
 * stream with getfattr, which knows capabilities, ACLs and what users and programs set, or with getcap, which knows
 * capabilities alone.
 */
import { P2cError } from '../errors.ts';
import { type ByteString, byteString, printable } from '../printable.ts';
import { quotePath } from '../ssh/quote.ts';
import type { CommandResult, RemoteCommand } from '../ssh/session.ts';
import { binaryCapability } from '../tar/file-capability.ts';
import type { PaxRecord } from '../tar/pax.ts';
import type { SourceTools } from './tools.ts';

export type AttributeReader = 'getfattr' | 'getcap';

/** Undefined where the source has no program for it. */
export function attributeReaderOf({ attributeReaders }: SourceTools): AttributeReader | undefined {
  if (attributeReaders.includes('getfattr')) return 'getfattr';
  return attributeReaders.includes('getcap') ? 'getcap' : undefined;
}

/** What leaves a source: not its labels of SELinux, which every file may have. */
const WANTED = '^(security\\.capability|user\\.|trusted\\.|system\\.posix_acl_)';
const SILENCE_MS = 600_000;

export function attributesCommand(reader: AttributeReader, mountPoint: ByteString, where: string): RemoteCommand {
  const find = `find ${quotePath(mountPoint)} -xdev`;
  const script =
    reader === 'getfattr'
      ? `${find} -exec getfattr -h -d -m '${WANTED}' -e hex --absolute-names -- {} +`
      : `${find} -type f -exec getcap {} +`;
  return { purpose: `read the extended attributes below ${where} with ${reader}`, script, timeoutMs: SILENCE_MS };
}

/** Linux bounds a value to 64 KiB, which are 128 KiB of hexadecimal digits. */
const LONGEST_LINE = 256 * 1024;
/** Few files of a server have attributes; where very many do, a tar that carries them is the way. */
const MOST_BYTES = 128 * 1024 * 1024;

/** The attributes of a source's files by path, as records of extended headers. */
export class Attributes {
  readonly #byPath = new Map<ByteString, PaxRecord[]>();
  #bytes = 0;

  of(path: ByteString): readonly PaxRecord[] | undefined {
    return this.#byPath.get(path);
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** @throws P2cError `source.attributes` for more than memory is to hold. */
  add(path: ByteString, name: string, value: Buffer): void {
    this.#bytes += path.length + name.length + value.length + 200;
    if (this.#bytes > MOST_BYTES) {
      throw new P2cError('the files have more than 128 MiB of extended attributes', {
        code: 'source.attributes',
        hint: 'install GNU tar 1.27 or newer there, which carries them in its stream',
      });
    }
    const records = this.#byPath.get(path) ?? [];
    // A filesystem that is read again, after its link was lost.
    const others = records.filter(({ key }) => key !== `SCHILY.xattr.${name}`);
    this.#byPath.set(path, [...others, { key: `SCHILY.xattr.${name}`, value }]);
  }
}

/** Reads the output of either program line by line, whatever pieces it comes in. */
export class AttributesParser {
  readonly #reader: AttributeReader;
  readonly #into: Attributes;
  #rest = '';
  #path: ByteString | undefined;

  constructor(reader: AttributeReader, into: Attributes) {
    this.#reader = reader;
    this.#into = into;
  }

  /** @throws P2cError `source.attributes`. */
  push(chunk: Buffer): void {
    const lines = (this.#rest + byteString(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) throw malformed(this.#reader, 'a line of more than 256 KiB');
    for (const line of lines) this.#line(line);
  }

  /** @throws P2cError `source.attributes`. */
  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #line(line: string): void {
    if (line === '') this.#path = undefined;
    else if (this.#reader === 'getcap') this.#capability(line);
    else if (line.startsWith('# file: ')) this.#path = unescaped(line.slice(8));
    else this.#attribute(line);
  }

  /** `NAME=0xHEX`; a name's `=`, newlines and backslashes are octal escapes. */
  #attribute(line: string): void {
    const [, name, digits] = /^([^=]+)(?:=0x((?:[0-9a-fA-F]{2})*))?$/s.exec(line) ?? [];
    if (this.#path === undefined || name === undefined) throw malformed(this.#reader, line);
    this.#into.add(this.#path, unescaped(name), Buffer.from(digits ?? '', 'hex'));
  }

  /** `/path cap_x=ep`, before libcap 2.41 `/path = cap_x+ep`. */
  #capability(line: string): void {
    const [, path, text] = /^(\/.*?) (?:= )?((?:[a-z0-9_,]*[+=-][^ ]*)(?: [^/]*)?)$/s.exec(line) ?? [];
    const value = text === undefined ? undefined : binaryCapability(text);
    if (path === undefined || value === undefined) throw malformed(this.#reader, line);
    this.#into.add(path as ByteString, 'security.capability', value);
  }
}

function unescaped(text: string): ByteString {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  ) as ByteString;
}

/** Where the program did not come to its end: what it printed is not all. */
export function attributesFailed(
  { purpose }: RemoteCommand,
  where: string,
  { code, stderr }: Pick<CommandResult, 'code' | 'stderr'>,
): P2cError {
  return new P2cError(`${purpose} on ${where} failed: it ended with exit code ${code}`, {
    code: 'source.attributes',
    hint: 'the cause is what it said; with GNU tar 1.27 or newer there, attributes come in its stream',
    cause: new Error(printable(stderr.trim().slice(-2000), { newlines: true }) || 'it said nothing'),
  });
}

function malformed(reader: AttributeReader, line: string): P2cError {
  return new P2cError(`${reader} on the source says what is not understood: '${printable(line.slice(0, 200))}'`, {
    code: 'source.attributes',
    hint: 'install GNU tar 1.27 or newer there, which carries attributes in its stream',
  });
}
