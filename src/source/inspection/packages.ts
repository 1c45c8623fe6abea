/** Installed packages, by the package manager that a server has, and which package brought a program. */
import { quoteAll } from '../../ssh/quote.ts';
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';

export type PackageManager = 'dpkg' | 'rpm' | 'apk' | 'pacman' | 'opkg' | 'slackware' | 'portage';

export interface Packages {
  readonly manager: PackageManager;
  readonly installed: readonly { readonly name: string; readonly version: string }[];
}

const LIST_BYTES = 1024 * 1024;

/** The first whose database is there; a second one (rpm on Debian) is a tool, and not how the system was installed. */
const MANAGERS: readonly (readonly [PackageManager, string, string])[] = [
  [
    'dpkg',
    '[ -s /var/lib/dpkg/status ]',
    `dpkg-query -W -f '\${Status}\\t\${Package}\\t\${Version}\\n' | sed -n 's/^[a-z]* ok installed.//p'`,
  ],
  ['apk', '[ -s /lib/apk/db/installed ]', "sed -n -e 's/^P://p' -e 's/^V://p' /lib/apk/db/installed | paste - -"],
  [
    'rpm',
    'command -v rpm && { [ -s /var/lib/rpm/Packages ] || [ -d /usr/lib/sysimage/rpm ] || [ -s /var/lib/rpm/rpmdb.sqlite ] || [ -s /var/lib/rpm/Packages.db ]; }',
    "rpm -qa --qf '%{NAME}\\t%{VERSION}-%{RELEASE}\\n'",
  ],
  ['pacman', '[ -d /var/lib/pacman/local ]', "pacman -Q | tr ' ' '\\t'"],
  ['opkg', '[ -d /usr/lib/opkg ] || [ -d /var/lib/opkg ]', "opkg list-installed | sed 's/ - /\\t/'"],
  ['portage', '[ -d /var/db/pkg ]', "cd /var/db/pkg && ls -d */* | sed 's/-\\([0-9]\\)/\\t\\1/'"],
  ['slackware', '[ -d /var/log/packages ]', 'ls /var/log/packages'],
];

export const PACKAGE_SECTIONS: readonly Section[] = [
  {
    name: 'packages',
    script: `${MANAGERS.map(([name, present, list], index) => `${index === 0 ? 'if' : 'elif'} ( ${present} ) >/dev/null; then echo ${name}; ${list}`).join('\n')}\nfi`,
    maxBytes: LIST_BYTES,
  },
];

export function readPackages(answers: Answers): Fact<Packages> {
  const [first, ...lines] = answers.lines('packages');
  const manager = MANAGERS.map(([name]) => name).find((name) => name === first);
  if (manager === undefined) return answers.none('it has no package manager that p2c knows');
  const installed = lines.flatMap((line) => {
    const [name, version] = manager === 'slackware' ? slackware(line) : line.split('\t');
    return name === undefined || name === '' || name === 'gpg-pubkey' ? [] : [{ name, version: version ?? '' }];
  });
  return known({ manager, installed }, answers.note('packages'));
}

/** `bash-4.3.046-x86_64-1`: name, version, architecture, build; a name may have dashes too. */
function slackware(line: string): string[] {
  const parts = line.split('-');
  return [parts.slice(0, -3).join('-'), parts.at(-3) ?? ''];
}

/** Of one question, so that its script stays short. */
const PATHS_AT_ONCE = 40;

/** Ask who brought these files. Answers are read by {@link readOwners}. */
export function ownerSections(manager: PackageManager, paths: readonly string[]): Section[] {
  const count = Math.ceil(paths.length / PATHS_AT_ONCE);
  return Array.from({ length: count }, (_, index) =>
    paths.slice(index * PATHS_AT_ONCE, (index + 1) * PATHS_AT_ONCE),
  ).flatMap((some, index) => {
    const script = ownerScript(manager, some);
    return script === undefined ? [] : [{ name: `${OWNERS}${index}`, script }];
  });
}

const OWNERS = 'owners-';

function ownerScript(manager: PackageManager, paths: readonly string[]): string | undefined {
  switch (manager) {
    // Where /bin leads to /usr/bin, dpkg knows files by the one name or the other.
    case 'dpkg':
      return `dpkg-query -S ${quoteAll([...new Set(paths.flatMap((path) => [path, unmerged(path)]))])}`;
    case 'rpm':
      return paths
        .map((path) => `printf '%s: ' ${quoteAll([path])}; rpm -qf --qf '%{NAME}\\n' ${quoteAll([path])} | sed -n 1p`)
        .join('\n');
    case 'apk':
      return `apk info --who-owns ${quoteAll(paths)}`;
    case 'pacman':
      return paths
        .map((path) => `printf '%s: ' ${quoteAll([path])}; pacman -Qqo ${quoteAll([path])} || echo`)
        .join('\n');
    default:
      return undefined;
  }
}

/** The name that a program had before /bin and /lib became links to those of /usr. */
function unmerged(path: string): string {
  return path.replace(/^\/usr(?=\/(?:s?bin|lib\w*)\/)/, '');
}

/** Who brought a program, by {@link readOwners}; null where no package has it. */
export function ownerOf(owners: ReadonlyMap<string, string>, path: string | undefined): string | null {
  return path === undefined ? null : (owners.get(path) ?? owners.get(unmerged(path)) ?? null);
}

/** Path → name of the package. */
export function readOwners(manager: PackageManager, answers: Answers): Map<string, string> {
  const owners = new Map<string, string>();
  for (const line of answers.names.filter((name) => name.startsWith(OWNERS)).flatMap((name) => answers.lines(name))) {
    const pair = manager === 'dpkg' ? ofDpkg(line) : manager === 'apk' ? ofApk(line) : ofPrinted(line);
    if (pair !== undefined && !owners.has(pair[0])) owners.set(pair[0], pair[1]);
  }
  return owners;
}

/** `nginx-light: /usr/sbin/nginx`, `libc6:amd64: /lib/x`, `diversion by dash from: /bin/sh`. */
function ofDpkg(line: string): readonly [string, string] | undefined {
  const [, name, path] = /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9]+)?(?:, [^/]*)?: (\/.*)$/.exec(line) ?? [];
  return name === undefined || path === undefined ? undefined : [path, name];
}

/** `/usr/sbin/nginx is owned by nginx-1.20.2-r1`. */
function ofApk(line: string): readonly [string, string] | undefined {
  const [, path, name] = /^(\/.*) is owned by (\S+)-\d\S*-r\d+$/.exec(line) ?? [];
  return name === undefined || path === undefined ? undefined : [path, name];
}

/** `/usr/sbin/nginx: nginx`; rpm's `file … is not owned by any package` is no name. */
function ofPrinted(line: string): readonly [string, string] | undefined {
  const [, path, name] = /^(\/.*): ([A-Za-z0-9][\w.+-]*)$/.exec(line) ?? [];
  return name === undefined || path === undefined ? undefined : [path, name];
}
