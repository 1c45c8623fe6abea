/** Which distribution a server has, from whichever of the files about it is there. */
import { parseAssignments } from '../tools.ts';
import type { Answers, Section } from './sections.ts';

/** Whose recipes and tools fit. */
type Family = 'debian' | 'redhat' | 'suse' | 'alpine' | 'arch' | 'gentoo' | 'slackware' | 'busybox' | 'unknown';

export interface Release {
  /** As the distribution writes itself: `CentOS release 5.11 (Final)`; `unknown` where no file tells. */
  readonly name: string;
  /** `centos`, `debian`, `ubuntu`, `sles`…; `unknown`. */
  readonly id: string;
  /** `5.11`; empty where it is not told. */
  readonly version: string;
  readonly family: Family;
}

export const RELEASE_SECTIONS: readonly Section[] = [
  { name: 'os-release', script: 'cat /etc/os-release || cat /usr/lib/os-release', maxBytes: 8192 },
  { name: 'lsb-release', script: 'cat /etc/lsb-release', maxBytes: 8192 },
  ...['redhat-release', 'SuSE-release', 'debian_version', 'alpine-release', 'slackware-version', 'gentoo-release'].map(
    (name): Section => ({ name, script: `cat /etc/${name}`, maxBytes: 4096 }),
  ),
];

const FAMILIES: Readonly<Record<string, Family>> = {
  debian: 'debian',
  ubuntu: 'debian',
  devuan: 'debian',
  raspbian: 'debian',
  linuxmint: 'debian',
  rhel: 'redhat',
  centos: 'redhat',
  fedora: 'redhat',
  rocky: 'redhat',
  almalinux: 'redhat',
  ol: 'redhat',
  scientific: 'redhat',
  amzn: 'redhat',
  sles: 'suse',
  sled: 'suse',
  suse: 'suse',
  opensuse: 'suse',
  alpine: 'alpine',
  arch: 'arch',
  gentoo: 'gentoo',
  slackware: 'slackware',
};

/** os-release (os-release(5)) first, for it is there on purpose; then the older files, each in its own form. */
export function readRelease(answers: Answers): Release {
  return (
    fromOsRelease(answers.text('os-release')) ??
    fromLsb(answers.text('lsb-release')) ??
    fromRedHat(answers.line('redhat-release')) ??
    fromSuse(answers.lines('SuSE-release')) ??
    fromOneLine(answers) ?? { name: 'unknown', id: 'unknown', version: '', family: 'unknown' }
  );
}

function fromOsRelease(text: string): Release | undefined {
  const fields = parseAssignments(text);
  const value = (key: string): string => unquote(fields.get(key) ?? '');
  const id = value('ID').toLowerCase();
  const name = value('PRETTY_NAME') || value('NAME');
  if (id === '' && name === '') return undefined;
  const like = value('ID_LIKE').toLowerCase().split(/\s+/);
  return { name: name || id, id: id || 'unknown', version: value('VERSION_ID'), family: familyOf(id, ...like) };
}

/** Ubuntu before 12.10 (`DISTRIB_ID=Ubuntu`). Red Hat's file of that name has no DISTRIB_ID. */
function fromLsb(text: string): Release | undefined {
  const fields = parseAssignments(text);
  const id = unquote(fields.get('DISTRIB_ID') ?? '').toLowerCase();
  if (id === '') return undefined;
  const version = unquote(fields.get('DISTRIB_RELEASE') ?? '');
  return { name: unquote(fields.get('DISTRIB_DESCRIPTION') ?? '') || id, id, version, family: familyOf(id) };
}

/** `CentOS release 5.11 (Final)`, `Red Hat Enterprise Linux AS release 4 (Nahant Update 8)`. */
function fromRedHat(line: string): Release | undefined {
  if (line === '') return undefined;
  const version = /release (\d[\w.]*)/.exec(line)?.[1] ?? '';
  const update = /Update (\d+)/.exec(line)?.[1];
  const ids: readonly [RegExp, string][] = [
    [/^CentOS/i, 'centos'],
    [/^Scientific/i, 'scientific'],
    [/^Oracle|^Enterprise Linux Enterprise/i, 'ol'],
    [/^Fedora/i, 'fedora'],
    [/^Red Hat/i, 'rhel'],
  ];
  const id = ids.find(([pattern]) => pattern.test(line))?.[1] ?? 'unknown';
  const full = update === undefined || version.includes('.') ? version : `${version}.${update}`;
  return { name: line, id, version: full, family: 'redhat' };
}

/** `SUSE Linux Enterprise Server 11 (x86_64)`, then `VERSION = 11` and `PATCHLEVEL = 4`. */
function fromSuse(lines: readonly string[]): Release | undefined {
  const [name] = lines;
  if (name === undefined) return undefined;
  const value = (key: string): string | undefined =>
    lines.map((line) => new RegExp(`^${key}\\s*=\\s*(\\S+)`).exec(line)?.[1]).find((found) => found !== undefined);
  const patch = value('PATCHLEVEL');
  const version = [value('VERSION') ?? '', ...(patch === undefined ? [] : [patch])].join('.');
  const id = /Enterprise Server/.test(name) ? 'sles' : /Enterprise Desktop/.test(name) ? 'sled' : 'opensuse';
  return { name: patch === undefined ? name : `${name} SP${patch}`, id, version, family: 'suse' };
}

function fromOneLine(answers: Answers): Release | undefined {
  const forms: readonly [string, string, Family][] = [
    ['alpine-release', 'Alpine Linux', 'alpine'],
    ['debian_version', 'Debian', 'debian'],
    ['slackware-version', '', 'slackware'],
    ['gentoo-release', '', 'gentoo'],
  ];
  for (const [file, prefix, family] of forms) {
    const line = answers.line(file);
    if (line === '') continue;
    return {
      name: prefix === '' ? line : `${prefix} ${line}`,
      id: family,
      version: /\d[\w.]*/.exec(line)?.[0] ?? '',
      family,
    };
  }
  return undefined;
}

function familyOf(...ids: readonly string[]): Family {
  for (const id of ids) {
    const family = FAMILIES[id] ?? FAMILIES[id.split('-')[0] ?? ''];
    if (family !== undefined) return family;
  }
  return 'unknown';
}

/** os-release values are shell words (os-release(5)). */
export function unquote(value: string): string {
  return value
    .trim()
    .replace(/^(['"])(.*)\1$/s, '$2')
    .replace(/\\(.)/gs, '$1');
}
