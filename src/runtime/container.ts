/** What p2c writes down of a container: `ROOT/containers/ID`, and its name in `ROOT/containers/names`. */

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { messageOf, P2cError, systemCode } from '../errors.ts';
import { ONCE } from '../once.ts';
import { NO_NETWORK, networkRequestSchema } from './network/request.ts';
import { bootId, isAlive } from './process.ts';
import { restartPolicySchema } from './restart-policy.ts';
import { type Bundle, bundleSchema, specText } from './spec.ts';

const identity = z.object({ pid: z.int(), startTime: z.string() });

/** What does not change in a container's life, but for its network when it is released; `container.json`. */
const definitionSchema = z.object({
  id: z.string(),
  name: z.string(),
  image: z.object({ name: z.string(), digest: z.string() }),
  /** Digests of the layers, topmost first. */
  layers: z.array(z.string()),
  /** ISO 8601. */
  created: z.string(),
  /** What its PID 1 is, and why. */
  init: z.object({ mode: z.enum(['system', 'services', 'none']), why: z.string() }).default({ mode: 'none', why: '' }),
  stopSignal: z.string(),
  /** Seconds. */
  stopTimeout: z.number().default(10),
  restart: restartPolicySchema.default({ name: 'no' }),
  /** Bytes; undefined where its log may grow. */
  logMaxSize: z.number().optional(),
  autoRemove: z.boolean(),
  interactive: z.boolean(),
  privileged: z.boolean(),
  engine: z.enum(['namespaces', 'runc', 'crun']),
  network: networkRequestSchema.default(NO_NETWORK),
  /** The user namespace's map that its files have their owners from; undefined where root of the machine made it. */
  idMap: z.string().optional(),
  /** What it could not be given where it was made, a sentence's part each. */
  lacks: z.array(z.string()).optional(),
});
type Definition = z.output<typeof definitionSchema>;

/** `created`: never started. `restarting`: it ended, and its policy starts it again after a while. */
export const STATUSES = ['created', 'starting', 'running', 'restarting', 'exited'] as const;

/** `state.json`. */
const stateSchema = z.object({
  status: z.enum(STATUSES),
  /** The p2c that looks after it; undefined where nobody started it yet. */
  monitor: identity.optional(),
  /** The boot of the machine in which it was started: the processes of another are gone. */
  boot: z.string().default(''),
  /** How often its policy started it again. */
  restarts: z.int().default(0),
  /** The engine's process on this machine. */
  engine: identity.optional(),
  /** The container's PID 1, as this machine numbers it. */
  init: identity.optional(),
  started: z.string().optional(),
  finished: z.string().optional(),
  /** Unknown where the monitor was killed. */
  exitCode: z.int().optional(),
  error: z.string().optional(),
});
export type State = z.output<typeof stateSchema>;

export interface Container {
  readonly folder: string;
  readonly definition: Definition;
}

export function containersFolder(root: string): string {
  return join(root, 'containers');
}

export function containerFolder(root: string, id: string): string {
  return join(containersFolder(root), id);
}

/** Makes the folder with all that a start needs. */
export async function writeContainer(container: Container, bundle: Bundle, state: State): Promise<void> {
  const { folder } = container;
  for (const name of ['upper', 'work', 'root']) await mkdir(join(folder, name), { mode: 0o755 });
  await writeBundle(folder, bundle);
  await writeState(folder, state);
  await writeDefinition(container);
}

export async function writeState(folder: string, state: State): Promise<void> {
  await replaceRecord(folder, 'state.json', JSON.stringify(state, undefined, 2));
}

export async function writeBundle(folder: string, bundle: Bundle): Promise<void> {
  await replaceRecord(folder, 'config.json', specText(bundle));
}

export async function writeDefinition({ folder, definition }: Container): Promise<void> {
  await replaceRecord(folder, 'container.json', JSON.stringify(definition, undefined, 2));
}

/** As a whole, or not at all: over a power cut too, for a name may reach the disk before what the file holds. */
export async function replaceRecord(folder: string, name: string, text: string, mode = 0o644): Promise<void> {
  const temporary = join(folder, `.${name}-${process.pid}`);
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
}

export async function readContainer(folder: string): Promise<Container> {
  return { folder, definition: await readRecord(join(folder, 'container.json'), definitionSchema) };
}

export async function readBundle(folder: string): Promise<Bundle> {
  return readRecord(join(folder, 'config.json'), bundleSchema);
}

/**
 * The state as it is now: what is written, unless the processes it speaks of are gone. A container whose monitor was
 * killed has ended when its PID 1 has, with an exit code that nobody saw.
 */
export async function readState(folder: string): Promise<State> {
  const state = await readRecord(join(folder, 'state.json'), stateSchema);
  if (state.status === 'exited' || state.status === 'created') return state;
  const left = state.boot === bootId() ? [state.monitor, state.init] : [];
  return left.some((one) => one !== undefined && isAlive(one)) ? state : { ...state, status: 'exited' };
}

/** @returns undefined where the container was removed, or its state not written yet. */
export async function stateOrGone(folder: string): Promise<State | undefined> {
  try {
    return await readState(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined too where it is damaged: for those who look at all containers, and whom one must not stop. */
export async function stateIfKnown(folder: string): Promise<State | undefined> {
  return stateOrGone(folder).catch(unlessDamaged);
}

/** @throws what is no damaged record. */
export function unlessDamaged(error: unknown): undefined {
  if (error instanceof P2cError && error.code === 'container.damaged') return undefined;
  throw error;
}

export async function readRecord<Record>(path: string, schema: z.ZodType<Record>): Promise<Record> {
  const text = await readFile(path, 'utf8');
  try {
    return schema.parse(JSON.parse(text), ONCE);
  } catch (cause) {
    throw new P2cError(`${path} is not what p2c writes: ${messageOf(cause)}`, {
      code: 'container.damaged',
      hint: `the others are not touched by it; 'p2c rm -f ${basename(dirname(path)).slice(0, 12)}' removes this container`,
      cause,
    });
  }
}
