/** Passwords that nobody types: from a file descriptor or a program, never from the command line. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { messageOf, P2cError, usageError } from '../errors.ts';
import { orAborted } from '../ssh/or-aborted.ts';
import { Secret } from '../ssh/secret.ts';

const LONGEST = 64 * 1024;

/** What can be read once in the life of a process, and what a program answered: it is asked once for all servers. */
const known = new Map<string, Promise<Secret>>();

/**
 * @param option the options' common name: `password` of --password-fd and --password-command.
 * @param signal ends the program.
 * @returns undefined where neither is given.
 * @throws P2cError for a file descriptor that is no number, and for both at once.
 */
export function passwordSource(
  option: string,
  fd: number | undefined,
  command: string | undefined,
  signal?: AbortSignal,
): (() => Promise<Secret>) | undefined {
  if (fd !== undefined && command !== undefined) {
    throw usageError(`--${option}-fd and --${option}-command are given both`, { code: 'usage', hint: 'leave one out' });
  }
  if (command !== undefined) return readOnce(`command ${command}`, () => fromCommand(option, command, signal), signal);
  if (fd === undefined) return undefined;
  if (!Number.isInteger(fd) || fd < 0) {
    throw usageError(`--${option}-fd ${fd} is no file descriptor`, { code: 'usage', hint: `--${option}-fd 3 3<FILE` });
  }
  return readOnce(`fd ${fd}`, () => fromDescriptor(option, fd));
}

function readOnce(key: string, read: () => Promise<Secret>, signal?: AbortSignal): () => Promise<Secret> {
  return () => {
    const answer = known.get(key) ?? read();
    known.set(key, answer);
    // Nobody's answer: a link that is made again after an interruption, to start what was stopped, may ask anew.
    answer.catch(() => {
      if (signal?.aborted === true) known.delete(key);
    });
    return answer;
  };
}

/** The first line of what there is to read. */
async function fromDescriptor(option: string, fd: number): Promise<Secret> {
  try {
    let text = '';
    for await (const chunk of createReadStream('', { fd, encoding: 'utf8' })) {
      text += chunk;
      if (text.includes('\n') || text.length > LONGEST) break;
    }
    return firstLine(text, `--${option}-fd ${fd}`);
  } catch (error) {
    if (error instanceof P2cError) throw error;
    throw usageError(`--${option}-fd ${fd} cannot be read: ${messageOf(error)}`, {
      code: 'ssh.password',
      hint: `open it for p2c, as a shell does: --${option}-fd 3 3<FILE`,
      cause: error,
    });
  }
}

/** What the program says and asks goes to the terminal; its output is told to nobody, for it holds the password. */
async function fromCommand(option: string, command: string, signal: AbortSignal | undefined): Promise<Secret> {
  const child = spawn('sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'] });
  // One that aborted before ends nothing: what is done after an interruption needs the password too.
  const ending = signal?.aborted === true ? undefined : signal;
  const { text, code } = await orAborted(outputOf(child), ending, () => {
    if (child.pid !== undefined) endWithChildren(child.pid);
  });
  if (code === 0) return firstLine(text, `--${option}-command`);
  throw usageError(`the program of --${option}-command ended with ${code ?? 'a signal'}`, {
    code: 'ssh.password',
    hint: 'it must print the password as its first line and end with exit code 0',
  });
}

async function outputOf(child: ChildProcessByStdio<null, Readable, null>): Promise<{ text: string; code: unknown }> {
  const ended = once(child, 'close');
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) if (text.length < LONGEST) text += chunk;
  const [code] = await ended;
  return { text, code };
}

/**
 * In a group of its own, by which all could be ended at once, it could not ask on the terminal (termios(3): a background group is
 * stopped when it reads). The shell goes first, lest it begins its next command.
 */
function endWithChildren(pid: number): void {
  const children = childrenOf(pid);
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It ended by itself.
  }
  for (const child of children) endWithChildren(child);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function firstLine(text: string, from: string): Secret {
  const line = text.split('\n')[0]?.replace(/\r$/, '') ?? '';
  if (line !== '') return new Secret(line);
  throw usageError(`${from} gives no password`, { code: 'ssh.password', hint: 'its first line must be the password' });
}
