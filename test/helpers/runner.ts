/** The runner's verbs as their user calls them, on a store of the test's own; all that a test started ends with it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import * as z from 'zod';
import type { ExecutionConfig } from '../../src/oci/spec.ts';
import { listContainers } from '../../src/runtime/containers.ts';
import { removeContainer } from '../../src/runtime/end.ts';
import { runFolder } from '../../src/runtime/network/run-folder.ts';
import type { EngineName } from '../../src/runtime/options.ts';
import { busyboxTar, storeWith, type TestStore, type Tree, type Volumes } from './runtime-image.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Begun {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

export interface Runner {
  readonly store: TestStore;
  /** A folder that stands for the rest of the machine. */
  readonly outside: string;
  call(...args: readonly string[]): Promise<Ended>;
  callWith(input: string, ...args: readonly string[]): Promise<Ended>;
  /** Begins a call that may be killed. */
  start(...args: readonly string[]): Begun;
  /** Fails the test where the exit code is not 0. @returns standard output without the last line feed. */
  ok(...args: readonly string[]): Promise<string>;
}

export type MakeRunner = (
  t: ExecutionContext,
  tree?: Tree,
  execution?: ExecutionConfig,
  layers?: readonly Buffer[],
  volumes?: Volumes,
) => Promise<Runner>;

/** As `runner`, with containers that this engine runs. */
export function runnerOn(engine: EngineName): MakeRunner {
  return async (t, ...given) => {
    const made = await runner(t, ...given);
    const withEngine = ([verb = '', ...rest]: readonly string[]): string[] =>
      verb === 'run' || verb === 'create' ? [verb, '--engine', engine, ...rest] : [verb, ...rest];
    return {
      ...made,
      call: (...args) => made.call(...withEngine(args)),
      callWith: (input, ...args) => made.callWith(input, ...withEngine(args)),
      ok: (...args) => made.ok(...withEngine(args)),
    };
  };
}

/** A store with the image `test:latest`: busybox and what is given, and layers above it. */
export async function runner(
  t: ExecutionContext,
  tree: Tree = {},
  execution: ExecutionConfig = {},
  layers: readonly Buffer[] = [],
  volumes: Volumes = {},
): Promise<Runner> {
  const store = await storeWith(t, [await busyboxTar(t, tree), ...layers], execution, 'test:latest', volumes);
  t.teardown(async () => {
    for (const container of await listContainers(store.root)) await removeContainer(store.root, container, true);
    rmSync(dirname(runFolder(store.root).leases), { recursive: true, force: true });
  });
  const outside = join(store.root, '..', 'outside');
  mkdirSync(outside);
  mkdirSync(temporaryOf(store.root));
  const callWith = (input: string, ...args: readonly string[]): Promise<Ended> => p2c(store.root, input, args).ended;
  const start = (...args: readonly string[]): Begun => p2c(store.root, '', args);
  const call = (...args: readonly string[]): Promise<Ended> => callWith('', ...args);
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await call(...args);
    t.is(code, 0, `p2c ${args.join(' ')}: ${stderr}`);
    return stdout.replace(/\n$/, '');
  };
  return { store, outside, call, callWith, start, ok };
}

/** Where p2c has its temporary files: a folder of its own, or `doctor` would find what other tests' leave. */
export function temporaryOf(root: string): string {
  return join(root, '..', 'tmp');
}

function p2c(root: string, input: string, args: readonly string[]): Begun {
  const child = spawn(process.execPath, ['--', CLI, ...args], {
    env: { ...process.env, P2C_ROOT: root, TMPDIR: temporaryOf(root) },
    // The last is a descriptor that no container must get: as a careless caller leaves one open.
    stdio: ['pipe', 'pipe', 'pipe', ...Array.from({ length: 20 }, () => 'ignore' as const)],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {}).end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  return { ended, kill: (signal) => void child.kill(signal) };
}

const stateSchema = z.object({
  monitor: z.object({ pid: z.int() }),
  init: z.object({ pid: z.int() }),
});

/** The pids on this machine of the one container there is. */
export async function pidsOf({ store }: Runner): Promise<{ monitor: number; init: number }> {
  const [container] = await listContainers(store.root);
  const { monitor, init } = stateSchema.parse(
    JSON.parse(readFileSync(join(container?.folder ?? '', 'state.json'), 'utf8')),
  );
  return { monitor: monitor.pid, init: init.pid };
}

/** What a container may leave behind: files of the store, mounts of this machine, processes that know the store. */
export function remains({ store }: Runner): { files: string[]; mounts: string[]; processes: string[] } {
  const containers = join(store.root, 'containers');
  return {
    files: existsSync(containers) ? readdirSync(containers, { recursive: true, encoding: 'utf8' }).sort() : [],
    mounts: linesWith('/proc/self/mountinfo', store.root),
    processes: readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && linesWith(`/proc/${name}/cmdline`, store.root).length > 0,
    ),
  };
}

function linesWith(path: string, text: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) => line.includes(text));
  } catch {
    return [];
  }
}
