/** What the source's own programs can do: probed once, before anything relies on it. */
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Session } from '../ssh/session.ts';

export interface SourceTools {
  readonly tar: {
    /** First line of `tar --version`. */
    readonly version: string;
    readonly flavour: 'gnu' | 'busybox' | 'bsd' | 'unknown';
    readonly posixFormat: boolean;
    readonly xattrs: boolean;
    readonly xattrsInclude: boolean;
  };
  readonly find: { readonly version: string; readonly printf: boolean };
}

const PROBE = `
say() { printf '%s=%s\\n' "$1" "$2"; }
has() { case "$help" in *"$1"*) say "$2" yes ;; *) say "$2" no ;; esac; }
if command -v tar >/dev/null 2>&1; then say tar.present yes; else say tar.present no; fi
say tar.version "$(tar --version 2>&1 | sed -n 1p)"
help=$(tar --help 2>&1)
has '--format' tar.format; has 'posix' tar.posix
has '--xattrs' tar.xattrs; has '--xattrs-include' tar.xattrsInclude
has '--null' tar.null; has '--no-recursion' tar.noRecursion
if command -v find >/dev/null 2>&1; then say find.present yes; else say find.present no; fi
say find.version "$(find --version 2>&1 | sed -n 1p)"
if [ "$(find / -prune -printf '%y%i%C@' 2>/dev/null | sed -n 's/^d[0-9].*/ok/p')" = ok ]; then say find.printf yes; else say find.printf no; fi
`;

/** @throws P2cError `source.tar` or `source.find` where the source has none that p2c can work with. */
export async function probeTools(session: Session): Promise<SourceTools> {
  const result = await session.run({ purpose: 'probe tar and find', script: PROBE });
  const facts = parseAssignments(result.stdout.toString('utf8'));
  const yes = (key: string): boolean => facts.get(key) === 'yes';
  const where = session.target.name;
  if (!yes('tar.present')) throw missing('tar', where);
  if (!yes('find.present')) throw missing('find', where);
  const version = facts.get('tar.version') ?? '';
  if (!yes('tar.null') || !yes('tar.noRecursion')) {
    throw new P2cError(`the tar of ${where} cannot read a list of names ('${printable(version)}')`, {
      code: 'source.tar',
      hint: 'p2c needs GNU tar on the source: tar with --null, --files-from and --no-recursion',
    });
  }
  if (!yes('find.printf')) {
    const found = printable(facts.get('find.version') ?? '');
    throw new P2cError(`the find of ${where} has no -printf ('${found}')`, {
      code: 'source.find',
      hint: 'p2c needs GNU find on the source',
    });
  }
  return {
    tar: {
      version,
      flavour: flavourOf(version),
      posixFormat: yes('tar.format') && yes('tar.posix'),
      xattrs: yes('tar.xattrs'),
      xattrsInclude: yes('tar.xattrsInclude'),
    },
    find: { version: facts.get('find.version') ?? '', printf: true },
  };
}

function missing(program: string, where: string): P2cError {
  return new P2cError(`${where} has no ${program} in its PATH`, {
    code: `source.${program}`,
    hint: `install ${program} there, or put it into the PATH of the account p2c logs in with`,
  });
}

function flavourOf(version: string): SourceTools['tar']['flavour'] {
  if (version.includes('GNU tar')) return 'gnu';
  if (version.includes('BusyBox')) return 'busybox';
  return version.includes('bsdtar') ? 'bsd' : 'unknown';
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
