/** What this machine's kernel lets p2c do, each thing tried and not guessed from versions. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { printable } from '../../printable.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { inUserNamespace } from '../rootless/user-namespace.ts';
import { type Ability, unable } from './ability.ts';
import { pathOf } from './programs.ts';

const run = promisify(execFile);
const LIMIT_MS = 20_000;

/** Two files of two layers, seen as one tree, in a namespace that ends with the shell. */
const OVERLAY = `set -e
mount -t tmpfs p2c /tmp
cd /tmp
mkdir lower upper work seen
: >lower/below
: >upper/above
mount -t overlay overlay -o "$1" seen
[ -e seen/below ] && [ -e seen/above ]
`;

/** @param root false tries it in a user namespace, as containers without root do. */
export function probeOverlay(root: boolean): Promise<Ability> {
  const own = root ? [] : ['--user', '--map-root-user'];
  const marks = root && !inUserNamespace() ? '' : ',userxattr';
  const options = `lowerdir=lower,upperdir=upper,workdir=work${marks}`;
  return attempt('unshare', [...own, '--mount', '--propagation', 'private', 'sh', '-c', OVERLAY, 'sh', options]);
}

export function probeUserNamespaces(): Promise<Ability> {
  return attempt('unshare', ['--user', '--map-root-user', 'true']);
}

/** Mount, PID, UTS, IPC and network namespaces together: what every container needs. */
export function probeNamespaces(root: boolean): Promise<Ability> {
  const own = root ? [] : ['--user', '--map-root-user'];
  return attempt('unshare', [...own, '--mount', '--pid', '--uts', '--ipc', '--net', '--fork', 'true']);
}

/** Programs that ask for a kernel named 2.6 (personality(2), UNAME26). */
export async function probeUname26(): Promise<Ability> {
  const setarch = pathOf('setarch');
  if (setarch === null) return unable('setarch (util-linux) is not installed');
  try {
    const { stdout } = await run(setarch, ['--uname-2.6', 'uname', '-r'], { env: HOST_ENVIRONMENT, timeout: LIMIT_MS });
    return stdout.startsWith('2.6.') ? { able: true } : unable(`the kernel still calls itself ${stdout.trim()}`);
  } catch (error) {
    return unable(lastWords(error));
  }
}

async function attempt(program: string, words: readonly string[]): Promise<Ability> {
  const path = pathOf(program);
  if (path === null) return unable(`${program} is not installed`);
  try {
    await run(path, [...words], { env: HOST_ENVIRONMENT, timeout: LIMIT_MS });
    return { able: true };
  } catch (error) {
    return unable(lastWords(error));
  }
}

/** The last line that the program said, or how it ended. */
function lastWords(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const said = 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : '';
  return printable(said === undefined || said === '' ? (error.message.split('\n')[0] ?? '') : said).slice(0, 300);
}
