/** Runs the built p2c as its user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once standard error has a match; rejects where the process ends before. */
  saw(pattern: RegExp): Promise<void>;
}

/** Verbs that go to a server: what the tester's own ssh_config says is no part of a test. */
const CONNECTING = new Set(['audit', 'migrate', 'inspect']);

function withoutConfig([verb = '', ...rest]: readonly string[]): string[] {
  const own = CONNECTING.has(verb) && !rest.includes('-F');
  return [verb, ...(own ? ['-F', 'none'] : []), ...rest];
}

/** Starts p2c with these arguments; `env` is added to the environment. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  // As its first line has it: without `--` Node itself would take an --env-file from among p2c's words.
  const child = spawn(process.execPath, ['--', CLI, ...withoutConfig(args)], {
    env: { ...process.env, SSH_AUTH_SOCK: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const watch of watchers) watch();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const saw = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        if (pattern.test(stderr)) resolve();
      };
      watchers.add(watch);
      watch();
      void ended.then(() => reject(new Error(`p2c ended before it said ${pattern}: ${stderr}`)));
    });
  return { child, ended, saw };
}

export function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return startCli(args, env).ended;
}
