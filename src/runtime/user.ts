/** Who a container's process runs as: names are looked up in the image's own passwd and group (passwd(5), group(5)). */
import { lstatSync, readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { type LayerRoot, resolveInRoot } from './root-path.ts';

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

/** A passwd of a directory service dumped into a file; beyond it something is wrong. */
const LONGEST_FILE = 16 * 1024 * 1024;
const MAX_ID = 2 ** 32 - 2;

/**
 * @param text `USER[:GROUP]`, names or numbers; empty is root.
 * @throws P2cError `runtime.user` (usage): a name that the image does not have.
 */
export function resolveUser(layers: readonly LayerRoot[], text: string): User {
  const [userText = '', groupText, ...more] = text.split(':');
  if (more.length > 0 || groupText === '') throw unknown(text, 'is not of the form USER[:GROUP]');
  const name = userText === '' ? '0' : userText;
  const record = records(layers, '/etc/passwd').find((fields) => fields[0] === name || fields[2] === name);
  const uid = idOf(record?.[2]) ?? idOf(name);
  if (uid === undefined) throw unknown(text, `names the user '${name}', whom the image does not know`);
  const groups = records(layers, '/etc/group');
  const gid = groupText === undefined ? (idOf(record?.[3]) ?? 0) : groupId(groups, groupText, text);
  return { uid, gid, additionalGids: memberships(groups, record?.[0], groupText), home: homeOf(record) };
}

/** The names of the image's users, by number; where one has several, the first. */
export function userNames(layers: readonly LayerRoot[]): Map<number, string> {
  const named = records(layers, '/etc/passwd').flatMap(([name = '', , uid]) => {
    const id = idOf(uid);
    return id === undefined || name === '' ? [] : [[id, name] as const];
  });
  return new Map(named.reverse());
}

/** As podman: with a group given, that one alone. */
function memberships(groups: readonly string[][], user: string | undefined, group: string | undefined): number[] {
  if (user === undefined || group !== undefined) return [];
  const ids = groups.filter((fields) => fields[3]?.split(',').includes(user)).map((fields) => idOf(fields[2]));
  return [...new Set(ids.filter((id) => id !== undefined))];
}

function groupId(groups: readonly string[][], name: string, text: string): number {
  const record = groups.find((fields) => fields[0] === name);
  const gid = idOf(record?.[2]) ?? idOf(name);
  if (gid === undefined) throw unknown(text, `names the group '${name}', which the image does not know`);
  return gid;
}

function homeOf(record: readonly string[] | undefined): string {
  const home = record?.[5] ?? '';
  return home.startsWith('/') && !home.includes('\0') ? home : '/';
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

function records(layers: readonly LayerRoot[], path: string): string[][] {
  const { kind, hostPath } = resolveInRoot(layers, path);
  if (kind !== 'file' || hostPath === undefined) return [];
  return readRegular(hostPath)
    .split('\n')
    .map((line) => line.split(':'));
}

/** Regular files only: the image is hostile, and to open a device or a FIFO of it could do anything or wait for ever. */
function readRegular(path: string): string {
  const stats = lstatSync(path);
  return stats.isFile() && stats.size <= LONGEST_FILE ? readFileSync(path, 'utf8') : '';
}

function unknown(text: string, why: string) {
  return usageError(`--user '${text}' ${why}`, {
    code: 'runtime.user',
    hint: "USER[:GROUP], names of the image's /etc/passwd and /etc/group or numbers",
  });
}
