/**
 * Whether p2c is root of a user namespace only (user_namespaces(7)): the one it made for itself because its user is not
 * root, or that of a container it runs in. There it can make no device nodes, set no `trusted.` attributes and raise no
 * limits.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/** The map of the first namespace: each id to itself. */
const ALL_IDS = /^\s*0\s+0\s+4294967295\s*$/;

/** Tells p2c that it has already entered the namespace of its own; holds the user's id on the machine. */
export const ENTERED = 'P2C_ROOTLESS';

const ownMap = mapOf('self');

export function inUserNamespace(): boolean {
  return ownMap !== undefined && !ALL_IDS.test(ownMap.uids);
}

/** Whether the namespace is p2c's own, and what root may do on the machine is denied. */
export function isRootless(): boolean {
  return inUserNamespace() && process.env[ENTERED] !== undefined;
}

/**
 * Tells maps apart: what was unpacked under one has other owners under another. Digits of a hash; undefined outside of a
 * user namespace.
 */
export function idMapKey(): string | undefined {
  if (ownMap === undefined || !inUserNamespace()) return undefined;
  return createHash('sha256')
    .update(normal(ownMap.uids))
    .update(':')
    .update(normal(ownMap.gids))
    .digest('hex')
    .slice(0, 12);
}

/** Which user namespace a process is in; undefined where that is not to be known. */
export function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch {
    return undefined;
  }
}

/** @returns the maps of a process's namespace as this one sees them; undefined where they are not to be read. */
export function mapOf(pid: number | 'self'): { readonly uids: string; readonly gids: string } | undefined {
  try {
    const text = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
    return { uids: text('uid_map'), gids: text('gid_map') };
  } catch {
    return undefined;
  }
}

/** A map without its columns: the numbers of a line with a space between. */
export function normal(map: string): string {
  return map
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' '))
    .join('\n');
}
