/** What distribution an image holds, told from its own files. */
import type { Draft } from './draft.ts';

type Family = 'debian' | 'ubuntu' | 'el' | 'sles' | 'unknown';

export interface Distribution {
  /** Those that boot alike: which recipes are for it. */
  readonly distribution: Family;
  /** Whose numbers the version is of: the family's, but for those in it that count their releases in their own way. */
  readonly name: string;
  /** Its major version; 0 where it is not known. */
  readonly version: number;
}

type Tree = Pick<Draft, 'text'>;

/** os-release(5), and what older systems have in its place. */
export function distributionOf(tree: Tree): Distribution {
  const release = assignments(tree.text('/etc/os-release') ?? tree.text('/usr/lib/os-release') ?? '');
  const id = (release.get('ID') ?? '').toLowerCase();
  const words = [id, ...(release.get('ID_LIKE') ?? '').toLowerCase().split(' ')];
  const version = majorOf(release.get('VERSION_ID') ?? '');
  if (words.includes('ubuntu') || words.includes('debian')) return debianOrUbuntu(tree, id, words, version);
  if (words.some((word) => /^(?:rhel|centos|fedora|ol|amzn)$/.test(word))) {
    return { distribution: 'el', name: id === 'fedora' || id === 'amzn' ? id : 'el', version };
  }
  if (words.some((word) => /^(?:sles|sled|suse)$|^opensuse/.test(word))) {
    return { distribution: 'sles', name: id.startsWith('opensuse') ? id : 'sles', version };
  }
  return olderDistribution(tree);
}

/** Of what was made from them the base's release counts: Mint's 18 is Ubuntu's 16.04. */
function debianOrUbuntu(tree: Tree, id: string, words: readonly string[], version: number): Distribution {
  if (id === 'ubuntu' || id === 'debian') return { distribution: id, name: id, version };
  const base = assignments(tree.text('/etc/upstream-release/lsb-release') ?? '');
  if (base.get('DISTRIB_ID') === 'Ubuntu') return ubuntu(majorOf(base.get('DISTRIB_RELEASE') ?? ''));
  // Mint's edition of Debian counts from 1 on, and had come to 7 when the other was at 22.
  if (id === 'linuxmint' && version >= 13) return ubuntu(version < 17 ? 12 : 14 + 2 * (version - 17));
  if (words.includes('ubuntu')) return ubuntu(version);
  return { distribution: 'debian', name: 'debian', version: majorOf(tree.text('/etc/debian_version') ?? '') };
}

function ubuntu(version: number): Distribution {
  return { distribution: 'ubuntu', name: 'ubuntu', version };
}

function olderDistribution(tree: Tree): Distribution {
  const lsb = assignments(tree.text('/etc/lsb-release') ?? '');
  if (lsb.get('DISTRIB_ID') === 'Ubuntu') return ubuntu(majorOf(lsb.get('DISTRIB_RELEASE') ?? ''));
  const redhat = tree.text('/etc/redhat-release');
  if (redhat !== undefined) {
    const version = majorOf(/release (\d+)/.exec(redhat)?.[1] ?? '');
    return { distribution: 'el', name: redhat.startsWith('Fedora') ? 'fedora' : 'el', version };
  }
  const suse = tree.text('/etc/SuSE-release');
  if (suse !== undefined) {
    const version = majorOf(/^VERSION = (\d+)/m.exec(suse)?.[1] ?? '');
    return { distribution: 'sles', name: /^openSUSE/i.test(suse) ? 'opensuse' : 'sles', version };
  }
  const debian = tree.text('/etc/debian_version');
  if (debian !== undefined) return { distribution: 'debian', name: 'debian', version: majorOf(debian) };
  return { distribution: 'unknown', name: 'unknown', version: 0 };
}

/** `KEY=value` lines of shell, quotes taken off. */
function assignments(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)];
  return new Map(lines.map(([, key = '', value = '']) => [key, value.trim().replace(/^(['"])(.*)\1$/, '$2')]));
}

function majorOf(version: string): number {
  return Number(/^\d+/.exec(version.trim())?.[0] ?? 0);
}
