/**
 * POSIX ACLs: from the text that GNU tar and star write (`SCHILY.acl.*`; acl(5), "ACL text forms") to the binary extended
 * attribute of Linux (`system.posix_acl_access`; include/uapi/linux/posix_acl_xattr.h), which importers carry.
 */

export interface BinaryAcl {
  /** The attribute's value; undefined where the text is no ACL that a kernel would take. An empty text is no ACL at all. */
  readonly value: Buffer | undefined;
  /** Entries for names whose ids the text does not give. They are not in `value`. */
  readonly unmapped: number;
}

const VERSION = 2;
const NO_ID = 0xffffffff;
/** Linux' XATTR_SIZE_MAX. */
const LONGEST_VALUE = 65_536;
const Tag = { userObj: 0x01, user: 0x02, groupObj: 0x04, group: 0x08, mask: 0x10, other: 0x20 } as const;

interface Entry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/**
 * Entries are separated by newlines or commas: `user::rwx`, `user:1000:rwx`, star's `user:name:rwx:1000`. What can be
 * mapped is kept where a name cannot: with the mask gone too, the owning group would get more than it had.
 */
export function binaryAcl(text: string): BinaryAcl {
  const entries: Entry[] = [];
  let unmapped = 0;
  for (const line of text.split(/[\n,]/)) {
    const trimmed = line.replace(/#.*/, '').trim();
    if (trimmed === '') continue;
    const entry = parseEntry(trimmed);
    if (entry === undefined) return { value: undefined, unmapped };
    if (entry === 'no id') unmapped += 1;
    else entries.push(entry);
  }
  entries.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const fits = isValid(entries) && 4 + 8 * entries.length <= LONGEST_VALUE;
  return { value: fits ? encode(entries) : undefined, unmapped };
}

function parseEntry(text: string): Entry | 'no id' | undefined {
  const [kind = '', ...fields] = text.split(':');
  // Solaris writes `mask:rwx` and `other:rwx`, without the empty qualifier.
  const short = fields.length === 1;
  const [qualifier = '', permissionText = '', numeric] = short ? ['', ...fields] : fields;
  const permissions = parsePermissions(permissionText);
  if (permissions === undefined || fields.length > 3) return undefined;
  if (kind === 'mask' || kind === 'm') return plain(Tag.mask, permissions, qualifier);
  if (kind === 'other' || kind === 'o') return plain(Tag.other, permissions, qualifier);
  const user = kind === 'user' || kind === 'u';
  if ((!user && kind !== 'group' && kind !== 'g') || short) return undefined;
  if (qualifier === '') return plain(user ? Tag.userObj : Tag.groupObj, permissions, qualifier);
  const id = parseId(numeric ?? qualifier);
  return id === undefined ? 'no id' : { tag: user ? Tag.user : Tag.group, permissions, id };
}

function plain(tag: number, permissions: number, qualifier: string): Entry | undefined {
  return qualifier === '' ? { tag, permissions, id: NO_ID } : undefined;
}

function parsePermissions(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[r-][w-][x-]$/.test(trimmed)) return undefined;
  return (trimmed[0] === 'r' ? 4 : 0) + (trimmed[1] === 'w' ? 2 : 0) + (trimmed[2] === 'x' ? 1 : 0);
}

function parseId(text: string): number | undefined {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : NO_ID;
  return id < NO_ID ? id : undefined;
}

/** The kernel's rules (fs/posix_acl.c, posix_acl_valid): one of each owner and other, a mask where names are, no name twice. */
function isValid(entries: readonly Entry[]): boolean {
  const count = (tag: number): number => entries.filter((entry) => entry.tag === tag).length;
  const named = count(Tag.user) + count(Tag.group);
  const twice = entries.some((entry, i) => entry.tag === entries[i - 1]?.tag && entry.id === entries[i - 1]?.id);
  const owners = [Tag.userObj, Tag.groupObj, Tag.other].every((tag) => count(tag) === 1);
  return owners && !twice && (named === 0 || count(Tag.mask) === 1);
}

function encode(entries: readonly Entry[]): Buffer {
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(VERSION, 0);
  entries.forEach(({ tag, permissions, id }, i) => {
    value.writeUInt16LE(tag, 4 + 8 * i);
    value.writeUInt16LE(permissions, 6 + 8 * i);
    value.writeUInt32LE(id, 8 + 8 * i);
  });
  return value;
}
