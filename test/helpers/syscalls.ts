/** System calls made by perl, which can make any: for what no program of a small image asks the kernel. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { TOOLS, toolFiles } from '../../src/runtime/engines/toolbox.ts';
import { callTables } from '../../src/runtime/seccomp/numbers.ts';
import { tarOf } from './runtime-image.ts';
import { temporaryFolder } from './temporary.ts';

/** A layer with this machine's perl in `/tools`. */
export async function perlLayer(t: ExecutionContext): Promise<Buffer> {
  const root = await temporaryFolder(t);
  mkdirSync(join(root, 'tools'));
  for (const { source, name } of await toolFiles(TOOLS.perl)) copyFileSync(source, join(root, 'tools', name));
  return tarOf(root);
}

/** The words that run a script in a container with that layer; `$n{mount}` in it is the number of that call. */
export function perlWords(script: string): string[] {
  const numbers = [...(callTables(arch())[0]?.names ?? [])].map(([number, name]) => `${name}=>${number}`);
  return ['/tools/ld.so', '--library-path', '/tools', '/tools/perl', '-e', `my %n=(${numbers.join(',')});${script}`];
}
