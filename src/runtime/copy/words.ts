/** What `p2c cp` is told: places on this machine and in containers, and the words of tar for them. */
import { basename } from 'node:path';
import { usageError } from '../../errors.ts';

export type Side = { readonly container: string; readonly path: string } | { readonly path: string };

/** `CONTAINER:PATH`, or a path of this machine, which begins with / or . where it has a colon; `-` is a tar stream. */
export function parseSide(text: string): Side {
  const found = /^([a-zA-Z0-9][a-zA-Z0-9_.-]*):(.*)$/s.exec(text);
  if (found === null || text.startsWith('/') || text.startsWith('.')) return { path: text };
  return { container: found[1] ?? '', path: found[2]?.startsWith('/') ? found[2] : `/${found[2] ?? ''}` };
}

/** What is at a path. */
export type Kind = 'directory' | 'file' | 'missing';

export interface Plan {
  /** Of the source: what tar is told to pack, in which folder. */
  readonly folder: string;
  readonly member: string;
  /** The member's name in the destination. */
  readonly name: string;
  /** Where it is unpacked. */
  readonly into: string;
}

/**
 * As cp(1) and podman have it: into a folder that is there, as what is not there, or in the place of a file.
 * @param source real path; `content` where its end says `/.`: what is in the folder, not the folder.
 * @param destination as it was resolved; `kind` and that of the folder above.
 * @throws P2cError `copy.place` (usage).
 */
export function planCopy(
  source: { readonly path: string; readonly kind: Kind; readonly content: boolean; readonly text: string },
  destination: { readonly path: string; readonly kind: Kind; readonly above: Kind; readonly text: string },
): Plan {
  if (source.kind === 'missing') throw refused(`'${source.text}' does not exist`);
  const isFolder = source.kind === 'directory';
  if (destination.kind === 'file' && isFolder)
    throw refused(`'${destination.text}' is a file, and '${source.text}' a folder`);
  if (destination.kind === 'missing' && destination.above !== 'directory') {
    throw refused(`the folder above '${destination.text}' does not exist`);
  }
  if (destination.kind === 'missing' && !isFolder && destination.text.endsWith('/')) {
    throw refused(`the folder '${destination.text}' does not exist`);
  }
  const folder = parentOf(source.path);
  const whole = source.path === '/' || (source.content && destination.kind === 'directory');
  if (whole && isFolder) return { folder: source.path, member: '.', name: '.', into: destination.path };
  const member = basename(source.path);
  if (destination.kind === 'directory') return { folder, member, name: member, into: destination.path };
  return { folder, member, name: basename(destination.path), into: parentOf(destination.path) };
}

function refused(what: string) {
  return usageError(`nothing is copied: ${what}`, { code: 'copy.place' });
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** Of GNU tar, to pack. @param root before the folder: where the packed side is seen. */
export function packWords({ folder, member, name }: Plan, root: string, more: readonly string[]): string[] {
  // Neither symbolic links' targets nor anything below the first name are touched.
  const renamed = name === member ? [] : ['--transform', `s,^${pattern(`./${member}`)},./${replacement(name)},S`];
  const words = ['tar', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--format=pax', ...renamed, ...more];
  return [...words, '-C', `${root}${folder}`, '-cf', '-', '--', member === '.' ? '.' : `./${member}`];
}

/**
 * More words for `packWords` where all is to have another owner: a program that runs with its owner's rights would run with those
 * of the new one.
 */
export const WITHOUT_RIGHTS = ['--mode=ug-s', '--xattrs-exclude=security.capability'];

/** Of GNU tar, to unpack. */
export function unpackWords(into: string, root: string, more: readonly string[]): string[] {
  return [
    'tar',
    '--numeric-owner',
    '-p',
    '--xattrs',
    '--xattrs-include=*',
    ...more,
    '-C',
    `${root}${into}`,
    '-xf',
    '-',
  ];
}

/** A basic regular expression of sed for this text. */
function pattern(text: string): string {
  return text.replace(/[\\.*[\]^$,]/g, '\\$&').replaceAll('\n', '\\n');
}

function replacement(text: string): string {
  return text.replace(/[\\&,]/g, '\\$&').replaceAll('\n', '\\\n');
}
