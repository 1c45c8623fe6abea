/** Passwords that nobody types: from a file descriptor or a program, never from the command line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { messageOf, P2cError, usageError } from '../errors.ts';
import { Secret } from '../ssh/secret.ts';

const LONGEST = 64 * 1024;

/** What can be read once in the life of a process, and what a program answered: it is asked once for all servers. */
const known = new Map<string, Promise<Secret>>();

/**
 * @param option the options' common name: `password` of --password-fd and --password-command.
 * @returns undefined where neither is given.
 * @throws P2cError for a file descriptor that is no number, and for both at once.
 */
export function passwordSource(
  option: string,
  fd: number | undefined,
  command: string | undefined,
): (() => Promise<Secret>) | undefined {
  if (fd !== undefined && command !== undefined) {
    throw usageError(`--${option}-fd and --${option}-command are given both`, { code: 'usage', hint: 'leave one out' });
  }
  if (command !== undefined) return readOnce(`command ${command}`, () => fromCommand(option, command));
  if (fd === undefined) return undefined;
  if (!Number.isInteger(fd) || fd < 0) {
    throw usageError(`--${option}-fd ${fd} is no file descriptor`, { code: 'usage', hint: `--${option}-fd 3 3<FILE` });
  }
  return readOnce(`fd ${fd}`, () => fromDescriptor(option, fd));
}

function readOnce(key: string, read: () => Promise<Secret>): () => Promise<Secret> {
  return () => {
    const answer = known.get(key) ?? read();
    known.set(key, answer);
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
async function fromCommand(option: string, command: string): Promise<Secret> {
  const child = spawn('sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) if (text.length < LONGEST) text += chunk;
  const [code] = await ended;
  if (code === 0) return firstLine(text, `--${option}-command`);
  throw usageError(`the program of --${option}-command ended with ${code ?? 'a signal'}`, {
    code: 'ssh.password',
    hint: 'it must print the password as its first line and end with exit code 0',
  });
}

function firstLine(text: string, from: string): Secret {
  const line = text.split('\n')[0]?.replace(/\r$/, '') ?? '';
  if (line !== '') return new Secret(line);
  throw usageError(`${from} gives no password`, { code: 'ssh.password', hint: 'its first line must be the password' });
}
