/** A system whose files have times that a clock of 32 bits, or of none before 1970, does not know. */
import { layerOf } from './adapting.ts';
import type { RawEntry } from './raw-tar.ts';

/** By path, in whole seconds since 1970; folders have a slash at the end. */
export const TIMES: Readonly<Record<string, number>> = {
  './': 2_300_000_000,
  'etc/': -86_400,
  'etc/fstab': 4_294_967_295,
  'etc/securetty': 0xffff_ffff + 1,
  'etc/selinux/': 3_300_000_000,
  'etc/selinux/config': 9_000_000_000,
};

const CONTENTS: Readonly<Record<string, string>> = {
  'etc/fstab': 'LABEL=root / ext3 defaults 1 1\n',
  'etc/securetty': 'tty1\n',
  'etc/selinux/config': 'SELINUX=enforcing\n',
};

function entry([path, mtime]: [string, number]): RawEntry {
  const name = path === './' ? path : `./${path}`;
  const beside = mtime < 0 || mtime > 0o77777777777;
  const shape = path.endsWith('/') ? { type: '5' } : { content: CONTENTS[path] ?? '' };
  // As GNU tar writes it: in an extended header what its field has no room for.
  return { name, ...shape, ...(beside ? { mtime: 0, pax: { mtime: String(mtime) } } : { mtime }) };
}

export const LAYER_OF_TIMES = layerOf({}, [
  ...Object.entries(TIMES).map(entry),
  { name: './etc/modules', content: '', mtime: 0, pax: { mtime: '-1.5' } },
]);
