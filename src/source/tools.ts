/** What the source's own programs can do: probed once, before anything relies on it. */
import { P2cError } from '../errors.ts';
import { CHOOSE_LISTER, LISTERS, type Lister } from '../listing/scan.ts';
import { printable } from '../printable.ts';
import type { Session } from '../ssh/session.ts';

type Flavour = 'gnu' | 'busybox' | 'toybox' | 'bsd' | 'unknown' | 'none';

export interface SourceTools {
  readonly tar: {
    /** First line of `tar --version`, or of its usage where it has no such option. */
    readonly version: string;
    readonly flavour: Flavour;
    /** Reads names separated by NULs, takes just these, and goes on past one that cannot be read. */
    readonly takesNames: boolean;
    /** Takes names as they are, where it is told to: backslashes in them are no escapes. */
    readonly noUnquote: boolean;
    readonly posixFormat: boolean;
    readonly xattrs: boolean;
    readonly xattrsInclude: boolean;
    readonly acls: boolean;
    readonly hardDereference: boolean;
    /** Stores files with holes in pax headers (`--sparse-version=1.0`). */
    readonly sparse: boolean;
  };
  readonly find: { readonly version: string; readonly flavour: Flavour };
  readonly stat: Flavour;
  /** What `sh` says it is, or the file it is a link to. */
  readonly sh: string;
  readonly lister: Lister;
  /** Whether listings hold the parts of a second of times. */
  readonly nanoseconds: boolean;
  /** Programs that read what tar may not carry: of {@link ATTRIBUTE_READERS}. */
  readonly attributeReaders: readonly string[];
  /** Of {@link COMPRESSORS}. */
  readonly compressors: readonly string[];
}

const ATTRIBUTE_READERS = ['getcap', 'getfattr', 'getfacl'] as const;
const COMPRESSORS = ['zstd', 'lz4', 'gzip', 'xz'] as const;

/** `find`, `tar` and `sh` of small systems have no `--version`: they answer with usage, whose first line names them. */
const PROBE = `
say() { printf '%s=%s\\n' "$1" "$2"; }
has() { case "$help" in *"$1"*) say "$2" yes ;; *) say "$2" no ;; esac; }
version() {
  said=$("$1" --version 2>&1 </dev/null)
  case \${said%%"$newline"*} in
    *'(GNU'* | *'GNU '* | *[Bb]usy[Bb]ox*) printf '%s' "\${said%%"$newline"*}" ;;
    *) printf '%s\\n' "$said" | sed -n -e '/[Bb]usy[Bb]ox/{p;q;}' -e '/[Tt]oybox/{p;q;}' -e '/(GNU/{p;q;}' -e '/GNU /{p;q;}' -e '/bsdtar/{p;q;}' -e '1h' -e '\${g;p;}' ;;
  esac
}
newline='
'
for program in tar find stat ${[...ATTRIBUTE_READERS, ...COMPRESSORS].join(' ')}; do
  if command -v "$program" >/dev/null 2>&1; then say "$program.present" yes; else say "$program.present" no; fi
done
say tar.version "$(version tar)"
say find.version "$(version find)"
say stat.version "$(version stat)"
help=$(tar --help 2>&1 </dev/null)
has '--format' tar.format; has 'posix' tar.posix
has '--xattrs' tar.xattrs; has '--xattrs-include' tar.xattrsInclude; has '--acls' tar.acls
has '--no-unquote' tar.noUnquote; has '--null' tar.null; has '--no-recursion' tar.noRecursion; has '--ignore-failed-read' tar.ignoreFailedRead
has '--hard-dereference' tar.hardDereference; has '--sparse-version' tar.sparse
say sh "$(readlink -f "$(command -v sh)" 2>/dev/null)"
${CHOOSE_LISTER}
say lister "$lister"
case $lister in
'find -printf') case $p2c_printed in *.*) say nanoseconds yes ;; esac ;;
*) case $stat in *%z*) say nanoseconds yes ;; esac ;;
esac
`;

/** @throws P2cError `source.find` where the source can not be listed. */
export async function probeTools(session: Session): Promise<SourceTools> {
  const result = await session.run({ purpose: 'probe tar, find and their like', script: PROBE });
  return readTools(parseAssignments(result.stdout.toString('utf8')), session.target.name);
}

function readTools(facts: ReadonlyMap<string, string>, where: string): SourceTools {
  const text = (key: string): string => facts.get(key) ?? '';
  const yes = (...keys: string[]): boolean => keys.every((key) => facts.get(key) === 'yes');
  const flavour = (program: string): Flavour =>
    yes(`${program}.present`) ? flavourOf(text(`${program}.version`)) : 'none';
  const present = (program: string): boolean => yes(`${program}.present`);
  return {
    tar: {
      version: present('tar') ? text('tar.version') : '',
      flavour: flavour('tar'),
      takesNames: yes('tar.present', 'tar.null', 'tar.noRecursion', 'tar.ignoreFailedRead'),
      noUnquote: yes('tar.noUnquote'),
      posixFormat: yes('tar.format', 'tar.posix'),
      xattrs: yes('tar.xattrs'),
      xattrsInclude: yes('tar.xattrsInclude'),
      acls: yes('tar.acls'),
      hardDereference: yes('tar.hardDereference'),
      sparse: yes('tar.sparse', 'tar.format', 'tar.posix'),
    },
    find: { version: text('find.version'), flavour: flavour('find') },
    stat: flavour('stat'),
    sh: text('sh') || 'unknown',
    lister: listerOf(text('lister'), present('find'), text('find.version'), where),
    nanoseconds: yes('nanoseconds'),
    attributeReaders: ATTRIBUTE_READERS.filter(present),
    compressors: COMPRESSORS.filter(present),
  };
}

function listerOf(said: string, hasFind: boolean, version: string, where: string): Lister {
  const lister = LISTERS.find((known) => known === said);
  if (lister !== undefined) return lister;
  if (!hasFind) throw missing('find', where);
  throw new P2cError(
    `the find of ${where} has no -printf ('${printable(version)}'), and no stat -c and readlink help it`,
    {
      code: 'source.find',
      hint: 'install GNU find there (findutils), or busybox with find, stat and readlink',
    },
  );
}

/**
 * Whether a capture can be made: to be asked before anything is stopped. An audit needs no tar.
 *
 * busybox tar would lose extended attributes, ACLs and parts of seconds, and takes no name with a newline: such an image would
 * not be what the server holds, so p2c does not make it.
 *
 * @param sparse whether sparse files are to be stored as such.
 * @throws P2cError `source.tar`.
 */
export function requireTar({ tar }: SourceTools, where: string, sparse: boolean): void {
  if (tar.flavour === 'none') throw missing('tar', where);
  if (sparse && !tar.sparse) {
    throw new P2cError(`the tar of ${where} knows no sparse files in pax headers ('${printable(tar.version)}')`, {
      code: 'source.tar',
      hint: "take '--sparse expand' or '--sparse skip'",
    });
  }
  if (tar.takesNames) return;
  throw new P2cError(`the tar of ${where} cannot read a list of names ('${printable(tar.version)}')`, {
    code: 'source.tar',
    hint: "install GNU tar there, first in the PATH of the account p2c logs in with; 'p2c audit' works without",
  });
}

function missing(program: string, where: string): P2cError {
  return new P2cError(`${where} has no ${program} in its PATH`, {
    code: `source.${program}`,
    hint: `install ${program} there, or put it into the PATH of the account p2c logs in with`,
  });
}

function flavourOf(version: string): Flavour {
  if (/busybox/i.test(version)) return 'busybox';
  if (/toybox/i.test(version)) return 'toybox';
  if (version.includes('bsdtar')) return 'bsd';
  return /GNU/.test(version) ? 'gnu' : 'unknown';
}

/** `key=value` lines; the first of a key counts, and lines that are none (a banner) are passed over. */
export function parseAssignments(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    if (!facts.has(key)) facts.set(key, line.slice(equals + 1));
  }
  return facts;
}
