/** Makes a user namespace with a user's subordinate ids, or joins one, and runs a program as root in it. */
import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { messageOf, P2cError } from '../../errors.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import type { IdRange } from '../machine/subordinate-ids.ts';
import type { ProcessIdentity } from '../process.ts';
import { type IdMap, mapTriples } from './id-map.ts';
import { namespaceOf } from './user-namespace.ts';

const run = promisify(execFile);

/** `inherit`: p2c's own three. `pipe`: no input, and output to be read. */
export type InnerStreams = 'inherit' | 'pipe';

export interface InnerProgram {
  /** Whole paths. */
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly streams: InnerStreams;
}

/** A program that runs in the namespace. */
export interface Inner {
  readonly pid: number;
  readonly output: Readable | null;
  readonly errors: Readable | null;
  /** Its exit code; 128 and the signal's number where one ended it. */
  readonly ended: Promise<number>;
}

/**
 * Ends the program with whoever started it, as one process would: what it looks after has monitors. setpriv(1) knows how
 * from util-linux 2.33 on. Arguments: setpriv; the program.
 */
const TOGETHER = `
setpriv=$1
shift
if "$setpriv" --pdeathsig KILL true 2>/dev/null; then exec "$setpriv" --pdeathsig KILL "$@"; fi
exec "$@"
`;

/** The namespace is there, its ids are not: they are given from outside. Arguments: those of TOGETHER. */
const MADE = `
echo made >&4
read -r go <&3 || exit 125
exec 2>&5 3<&- 4>&- 5>&-
${TOGETHER}`;

/** What unshare(1) says goes where it is read. Arguments: unshare; the script that goes on; its arguments. */
const MAKE = `
exec 5>&2 2>&4
unshare=$1
script=$2
shift 2
exec "$unshare" --user sh -c "$script" sh "$@"
`;

const JOINED = `
exec 3<&-
${TOGETHER}`;

/** @throws P2cError `rootless.namespace`. */
export async function makeNamespace(map: IdMap, program: InnerProgram): Promise<Inner> {
  const words = ['-c', MAKE, 'sh', findProgram('unshare'), MADE, findProgram('setpriv'), ...program.words];
  const child = start(findProgram('sh'), words, program, ['pipe', 'pipe']);
  const [go, said] = [child.stdio[3], child.stdio[4]];
  if (child.pid === undefined || !(go instanceof Writable) || !(said instanceof Readable))
    throw notMade('sh cannot be run');
  go.on('error', () => {});
  const inner = innerOf(child);
  try {
    let text = '';
    for await (const chunk of said) {
      text += String(chunk);
      if (text.includes('made\n')) break;
    }
    if (!text.includes('made\n')) throw notMade(text.trim() || 'unshare ended without a word');
    await giveIds('newuidmap', child.pid, map.uids);
    await giveIds('newgidmap', child.pid, map.gids);
  } catch (error) {
    child.kill('SIGKILL');
    await inner.ended;
    throw error;
  }
  go.end('go\n');
  return inner;
}

/** @returns undefined where nobody is there any more. */
export async function joinNamespace({ pid }: ProcessIdentity, program: InnerProgram): Promise<Inner | undefined> {
  const descriptor = openNamespace(pid);
  if (descriptor === undefined) return undefined;
  // Its groups stay the user's, as in a namespace that is made.
  const enter = ['--user=/proc/self/fd/3', '--preserve-credentials', '--', 'sh', '-c', JOINED, 'sh'];
  const child = start(findProgram('nsenter'), [...enter, findProgram('setpriv'), ...program.words], program, [
    descriptor,
  ]);
  closeSync(descriptor);
  const inner = innerOf(child);
  const outside = namespaceOf('self');
  // Until it is there, nobody else could find it there.
  while (child.exitCode === null && child.signalCode === null) {
    const namespace = namespaceOf(inner.pid);
    if (namespace !== undefined && namespace !== outside) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return inner;
}

function openNamespace(pid: number): number | undefined {
  try {
    return openSync(`/proc/${pid}/ns/user`, 'r');
  } catch {
    return undefined;
  }
}

function start(
  path: string,
  words: readonly string[],
  { environment, streams }: InnerProgram,
  more: readonly ('pipe' | number)[],
): ChildProcess {
  const three: StdioOptions = streams === 'inherit' ? ['inherit', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
  return spawn(path, words, { env: environment, stdio: [...three, ...more] });
}

function innerOf(child: ChildProcess): Inner {
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => {
    const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
    return typeof code === 'number' ? code : 128 + (number ?? 0);
  });
  ended.catch(() => {});
  return { pid: child.pid ?? 0, output: child.stdout, errors: child.stderr, ended };
}

async function giveIds(program: 'newuidmap' | 'newgidmap', pid: number, ranges: readonly IdRange[]): Promise<void> {
  try {
    await run(findProgram(program, 'uidmap'), [String(pid), ...mapTriples(ranges).flat()], { env: HOST_ENVIRONMENT });
  } catch (cause) {
    throw new P2cError(`${program} did not give p2c the subordinate ids of its user`, {
      code: 'rootless.ids',
      hint: `it must be set-user-ID root ('chmod u+s /usr/bin/${program}'), or have the capability for it, and on a filesystem without nosuid`,
      cause: cause instanceof Error && 'stderr' in cause ? new Error(String(cause.stderr).trim()) : cause,
    });
  }
}

function notMade(why: unknown): P2cError {
  return new P2cError('a user namespace could not be made', {
    code: 'rootless.namespace',
    hint: "'p2c doctor' says what this machine lacks",
    cause: new Error(typeof why === 'string' ? why : messageOf(why)),
  });
}
