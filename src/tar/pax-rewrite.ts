/**
 * The records of an extended header that do not leave as they came: labels of the source's security policy, ACLs as
 * text, access and change times. Everything else stays byte for byte.
 */

import { binaryAcl } from './acl.ts';
import type { AnomalyKind } from './anomaly.ts';
import { BLOCK, type Header, HeaderError, withFields } from './header.ts';
import { type PaxRecord, paxRecord } from './pax.ts';

const XATTR = 'SCHILY.xattr.';
const SELINUX = new Set([`${XATTR}security.selinux`, 'RHT.security.selinux']);
const UNSTABLE = new Set(['atime', 'ctime']);
const ACL_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['SCHILY.acl.access', `${XATTR}system.posix_acl_access`],
  ['SCHILY.acl.default', `${XATTR}system.posix_acl_default`],
]);

/** True where `rewriteRecords` would change something. `timeless`: the modification time goes too. */
export function needsRewriting(records: readonly PaxRecord[], timeless: boolean): boolean {
  return records.some(
    ({ key }) => SELINUX.has(key) || UNSTABLE.has(key) || ACL_ATTRIBUTES.has(key) || (timeless && key === 'mtime'),
  );
}

/** @returns the records to pass on; `tell` hears each kind of change, once for each record. */
export function rewriteRecords(
  records: readonly PaxRecord[],
  timeless: boolean,
  tell: (kind: AnomalyKind) => void,
): PaxRecord[] {
  const kept: PaxRecord[] = [];
  for (const record of records) {
    const attribute = ACL_ATTRIBUTES.get(record.key);
    if (SELINUX.has(record.key)) tell('selinux label dropped');
    else if (UNSTABLE.has(record.key)) tell('header made stable');
    else if (attribute !== undefined) kept.push(...rewriteAcl(record, attribute, records, tell));
    else if (!(timeless && record.key === 'mtime')) kept.push(record);
  }
  return kept;
}

function rewriteAcl(
  record: PaxRecord,
  key: string,
  records: readonly PaxRecord[],
  tell: (kind: AnomalyKind) => void,
): PaxRecord[] {
  const last = records.findLast((other) => other.key === record.key);
  // Of two records of a key the later one holds (POSIX pax); the binary attribute says more than the text.
  if (last !== record || records.some((other) => other.key === key)) return [];
  const text = record.value.toString('latin1');
  if (text.trim() === '') return [];
  const { value, unmapped } = binaryAcl(text);
  if (unmapped > 0) tell('acl name without id');
  if (value === undefined) {
    tell('acl unreadable');
    return [];
  }
  tell('acl rewritten');
  return [{ key, value }];
}

/** The content of an extended header, padded to whole blocks, and its length without the padding. */
export function encodeRecords(records: readonly PaxRecord[]): { bytes: Buffer; length: number } {
  const content = Buffer.concat(records.map(({ key, value }) => paxRecord(key, value)));
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return { bytes: Buffer.concat([content, padding]), length: content.length };
}

/** What GNU tar writes for a time after 2242, beside the record that has it. */
const LATEST = '77777777777';
/** tar names an extended header after its own process, unless told otherwise: what follows may be cut, so it goes too. */
const PROCESS_NAME = /^(.*PaxHeaders)\.[0-9]/s;

/**
 * The block of an extended header with a name and a time that are the same at each capture, or the block itself where
 * it has them. Some tars give it the time of their start: it gets the time of its entry.
 */
export function stableBlock(block: Buffer, header: Header, entryBlock: Buffer, timeless: boolean): Buffer {
  const name = PROCESS_NAME.exec(header.name)?.[1];
  const sameTime =
    block.compare(entryBlock, 136, 147, 136, 147) === 0 || (!timeless && block.toString('latin1', 136, 147) === LATEST);
  if (name === undefined && sameTime) return block;
  return withFields(block, (copy) => {
    entryBlock.copy(copy, 136, 136, 148);
    if (name === undefined) return;
    if (name.length > 100) throw new HeaderError(`its extended header has a name of ${header.name.length} bytes`);
    copy.fill(0, 0, 100);
    copy.write(name, 0, 'latin1');
    if (block.toString('latin1', 257, 263) === 'ustar\0') copy.fill(0, 345, 500);
  });
}
