/** What the last step before a command needs, in the container's folder: its script, and the compiled seccomp filter. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../engine.ts';
import { loadsKernels } from '../machine/kexec.ts';
import { compileSeccomp } from '../seccomp/compile.ts';
import type { Bundle } from '../spec.ts';
import type { Way } from './command-words.ts';
import { FILTER, LAST_STEP, SCRIPT } from './last-step.ts';
import { hasPerl, type ToolFile } from './toolbox.ts';

/** Why a filter cannot be loaded here; undefined where it can. */
export function filterFault(): string | undefined {
  if (hasPerl() && isKnown()) return undefined;
  const why = hasPerl() ? `the calls of ${arch()} are not known` : 'perl is not installed';
  return `no seccomp filter (${why})${loadsKernels() ? ', and so no SYS_BOOT: a system in it cannot halt by itself' : ''}`;
}

function isKnown(): boolean {
  return (
    compileSeccomp({ defaultAction: '', defaultErrnoRet: 0, architectures: [], syscalls: [] }, arch()) !== undefined
  );
}

/** Before the start: writes them where a filter can be loaded. */
export async function writeFilter(place: Place, { linux: { seccomp } }: Bundle): Promise<Way> {
  if (filterFault() !== undefined) return 'plain';
  const program = seccomp === undefined ? undefined : compileSeccomp(seccomp, arch());
  await writeFile(join(place.folder, SCRIPT), LAST_STEP);
  if (program !== undefined) await writeFile(join(place.folder, FILTER), program);
  return wayOf(place);
}

/** How a container was started, for exec to do likewise. */
export function wayOf(place: Place): Way {
  if (!existsSync(join(place.folder, SCRIPT))) return 'plain';
  return existsSync(join(place.folder, FILTER)) ? 'filtered' : 'unfiltered';
}

/** For the setup to put among the tools. */
export function lastStepFiles({ folder }: Place): ToolFile[] {
  const files = [SCRIPT, FILTER].map((name) => ({ source: join(folder, name), name }));
  return files.filter(({ source }) => existsSync(source));
}
