/** What the machine that p2c runs on can do: asked by `p2c doctor`, and held against a server's facts for its verdict. */
import { readFile, statfs } from 'node:fs/promises';
import { machine as hardwareName, release, totalmem, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { type Lacking, lackingHere } from '../rootless/lacking.ts';
import { type Ability, unable } from './ability.ts';
import { type Cgroups, readCgroups, unifiedRoot } from './cgroups.ts';
import { type CniPlugins, findCniPlugins } from './cni-plugins.ts';
import { type ExaminedEngine, examineEngines } from './engines.ts';
import { probeIa32 } from './ia32.ts';
import { probeNamespaces, probeOverlay, probeUname26, probeUserNamespaces } from './kernel-abilities.ts';
import { type NeededProgram, neededPrograms } from './programs.ts';
import { countIds, subordinateRanges } from './subordinate-ids.ts';
import { type Vsyscall, vsyscallMode } from './vsyscall.ts';

export interface Machine {
  /** As `uname -m` and `uname -r` say. */
  readonly architecture: string;
  readonly kernel: string;
  readonly root: boolean;
  readonly memoryBytes: number;
  readonly vsyscall: Vsyscall;
  readonly ia32: Ability;
  readonly uname26: Ability;
  readonly cgroups: Cgroups;
  readonly namespaces: Ability;
  readonly overlay: Ability;
  readonly userNamespaces: Ability;
  /** How many ids /etc/subuid and /etc/subgid give to the user p2c runs as. */
  readonly subordinate: { readonly uids: number; readonly gids: number };
  /** What is missing for containers of this user; for root, who needs none of it, nothing. */
  readonly withoutRoot: readonly Lacking[];
  readonly cni: CniPlugins;
  readonly engines: readonly ExaminedEngine[];
  readonly programs: readonly NeededProgram[];
  /** The store, or the nearest folder above it that exists, and the bytes that are free there. */
  readonly store: { readonly folder: string; readonly freeBytes: number };
}

/** Tries everything, side by side: a second or so. @param storeRoot where images would be kept. */
export async function examineMachine(storeRoot: string): Promise<Machine> {
  const root = process.getuid?.() === 0;
  const architecture = hardwareName();
  const mountinfo = await textOf('/proc/self/mountinfo');
  const unified = unifiedRoot(mountinfo);
  const [ia32, uname26, namespaces, overlay, userNamespaces, withoutRoot, subordinate, store] = await Promise.all([
    architecture === 'x86_64' ? probeIa32() : unable(`${architecture} is not x86_64`),
    probeUname26(),
    probeNamespaces(root),
    probeOverlay(root),
    probeUserNamespaces(),
    root ? [] : lackingHere(),
    readSubordinate(),
    freeSpace(storeRoot),
  ]);
  const engines = await examineEngines(root, withoutRoot.length === 0 ? storeRoot : undefined);
  return {
    architecture,
    kernel: release(),
    root,
    memoryBytes: totalmem(),
    vsyscall: vsyscallMode(await textOf('/proc/self/maps'), architecture),
    ia32,
    uname26,
    cgroups: readCgroups(mountinfo, unified === undefined ? '' : await textOf(`${unified}/cgroup.controllers`)),
    namespaces,
    overlay,
    userNamespaces,
    subordinate,
    withoutRoot,
    cni: findCniPlugins(),
    engines,
    programs: neededPrograms(),
    store,
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch {
    return '';
  }
}

async function readSubordinate(): Promise<Machine['subordinate']> {
  const { username, uid } = userInfo();
  const user = { name: username, id: uid };
  return {
    uids: countIds(subordinateRanges(await textOf('/etc/subuid'), user)),
    gids: countIds(subordinateRanges(await textOf('/etc/subgid'), user)),
  };
}

/** The store need not be there yet, and the folders above it may be closed to this user. */
async function freeSpace(folder: string): Promise<Machine['store']> {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = await statfs(place);
      return { folder: place, freeBytes: bavail * bsize };
    } catch (error) {
      if (place === dirname(place)) throw error;
    }
  }
}
