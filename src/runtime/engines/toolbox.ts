/** The few programs that run where neither this machine's nor the image's are to be seen, with their libraries. */
import { execFile } from 'node:child_process';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { P2cError } from '../../errors.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';

const run = promisify(execFile);

/** Where it is installed it does everything alone: see `last-step.ts`. */
const PERL = 'perl';

/** `setpriv` drops capabilities, `sh` and `env` set the environment, `unshare` enters the root and its working folder. */
const PROGRAMS = ['setpriv', 'sh', 'env', 'unshare'] as const;
type Tool = (typeof PROGRAMS)[number] | typeof PERL;

/** The programs of a container whose last step is perl's, and of one without. */
export const TOOLS = { perl: [PERL], plain: PROGRAMS } as const;

/** Where the setup script puts them, in the namespace's own root. */
const FOLDER = '/tools';
const LOADER = 'ld.so';

export interface ToolFile {
  readonly source: string;
  readonly name: string;
}

/**
 * The files to copy: the tools and their libraries, which are found as ldd(1) finds them; it runs programs of this machine
 * only.
 * @throws P2cError `engine.tool` where a program is missing, or is linked in a way that is not understood.
 */
export async function toolFiles(tools: readonly Tool[]): Promise<ToolFile[]> {
  const files = new Map<string, string>();
  for (const program of tools) files.set(program, findProgram(program));
  for (const { name, source } of await librariesOf([...files.values()])) files.set(name, source);
  if (!files.has(LOADER)) {
    throw new P2cError(`the loader of ${tools.join(', ')} was not found`, {
      code: 'engine.tool',
      hint: 'ldd must list it; statically linked util-linux is not known to p2c',
    });
  }
  return [...files].map(([name, source]) => ({ name, source }));
}

/** The words that run a tool there, whatever lies in its root. */
export function toolCommand(tool: Tool, ...words: readonly string[]): string[] {
  return [join(FOLDER, LOADER), '--library-path', FOLDER, join(FOLDER, tool), ...words];
}

/** One call for all, for ldd is a shell script. `libc.so.6 => /lib/…/libc.so.6 (0x…)`; the loader stands there without an arrow, and in musl is the libc too. */
async function librariesOf(programs: readonly string[]): Promise<ToolFile[]> {
  const { stdout } = await run('ldd', programs, { env: HOST_ENVIRONMENT }).catch((cause: unknown) => {
    throw new P2cError(`ldd does not know the libraries of ${programs.join(', ')}`, { code: 'engine.tool', cause });
  });
  return stdout.split('\n').flatMap((line) => {
    const found = /^\s*(?:(\S+) => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line);
    const source = found?.[2];
    if (source === undefined) return [];
    const isLoader = /^ld[-.]|^ld64/.test(basename(source));
    const library = { source, name: found?.[1] === undefined ? basename(source) : basename(found[1]) };
    return isLoader ? [{ source, name: LOADER }, library] : [library];
  });
}

export function hasPerl(): boolean {
  try {
    findProgram(PERL);
    return true;
  } catch {
    return false;
  }
}
