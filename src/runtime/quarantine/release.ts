/** Ends a container's quarantine: it gets the network that is wanted, and what was held back is started. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError, usageError } from '../../errors.ts';
import { lockContainer } from '../claim.ts';
import { type Container, readState, writeDefinition } from '../container.ts';
import { execInContainer } from '../exec.ts';
import { changeNetworks } from '../network/join.ts';
import { provideNetworks } from '../network/provide.ts';
import type { NetworkRequest } from '../network/request.ts';
import { resolverText } from '../network/resolver.ts';
import { placeOf, rootOf } from '../place.ts';
import { changeRoot } from './change-root.ts';
import type { Hold, HoldKind } from './hold.ts';
import { undoing } from './quarantine.ts';
import { readHolds, writeHolds } from './record.ts';
import { RELEASE } from './release-script.ts';

/** Milliseconds: longer than the longest wait before a restart. */
const PATIENCE = 120_000;
const POLL = 50;

export interface Release {
  /** The networks from now on; undefined where it stays where it is. */
  readonly network?: NetworkRequest | undefined;
  /** What stays held back. */
  readonly keep: readonly HoldKind[];
}

/**
 * @param output what the services say while they start.
 * @returns what was released.
 * @throws P2cError `quarantine.*`, `network.*`.
 */
export async function releaseContainer(
  root: string,
  container: Container,
  { network, keep }: Release,
  output: (chunk: Buffer) => void,
): Promise<Hold[]> {
  const { folder, definition } = container;
  const holds = await readHolds(folder);
  if (holds === undefined) {
    throw usageError(`the container '${definition.name}' is in no quarantine`, { code: 'quarantine.none' });
  }
  await using settled = await whenSettled(container);
  const { runs } = settled;
  const moved = network === undefined ? container : await moveTo(container, network, runs);
  const released = holds.filter(({ kind }) => !keep.includes(kind));
  if (runs) await releaseInside(root, moved, released, output);
  else await changeRoot(folder, (await placeOf(container)).layers, undoing(released));
  const kept = holds.filter((hold) => !released.includes(hold));
  await writeHolds(folder, kept.length === 0 ? undefined : kept);
  return released;
}

/**
 * Under its lock, so that nobody starts it meanwhile: two who have its changes mounted destroy them. One that is just starting
 * runs or has ended soon.
 * @throws P2cError `container.running` (usage) where it starts again and again.
 */
async function whenSettled({ folder, definition }: Container): Promise<AsyncDisposable & { readonly runs: boolean }> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const held = await lockContainer(folder);
    const { status } = await readState(folder);
    if (status !== 'starting' && status !== 'restarting') {
      return { runs: status === 'running', [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
    }
    await held[Symbol.asyncDispose]();
    if (performance.now() > end) {
      throw usageError(`the container '${definition.name}' is ${status}, and does not get done with it`, {
        code: 'container.running',
        hint: `p2c stop ${definition.name}, then p2c release again`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

async function moveTo(container: Container, network: NetworkRequest, runs: boolean): Promise<Container> {
  await provideNetworks(rootOf(container.folder), network);
  const moved = { ...container, definition: { ...container.definition, network } };
  if (runs) await changeNetworks(moved);
  await writeDefinition(moved);
  // What the container wrote there itself stays.
  const path = join(container.folder, 'resolv.conf');
  const before = await readFile(path, 'utf8');
  if (before === (await resolverText(container.definition.network, false))) {
    await writeFile(path, await resolverText(network, true), { flag: 'r+' });
  }
  return moved;
}

async function releaseInside(
  root: string,
  container: Container,
  holds: readonly Hold[],
  output: (chunk: Buffer) => void,
): Promise<void> {
  // A script's come last, and count: where they are, there is no init that would look after the others.
  const started = holds.filter(({ starts }) => starts !== false);
  const services = new Map(started.map((hold) => [hold.name, [hold.init, scriptOf(hold)]]));
  const words = [...undoing(holds).flat(), '--', ...[...services].flat(2)];
  const launched = await execInContainer(root, container, {
    command: ['/bin/sh', '-c', RELEASE, 'sh', ...words],
    environment: [],
    workingFolder: '/',
    user: '0',
    terminal: false,
    input: 'none',
    detached: false,
  });
  const drain = async (stream: AsyncIterable<unknown> | undefined): Promise<void> => {
    for await (const chunk of stream ?? []) if (Buffer.isBuffer(chunk)) output(chunk);
  };
  const [code] = await Promise.all([launched.ended, drain(launched.output), drain(launched.errors)]);
  if (code === 0) return;
  throw new P2cError(
    `not all that was held back in '${container.definition.name}' could be started (exit code ${code})`,
    {
      code: 'quarantine.start',
      hint: `what they said is above; p2c exec -it ${container.definition.name} /bin/sh, then p2c release again`,
    },
  );
}

function scriptOf({ init, changes: [change] }: Hold): string {
  return init === 'services' && change?.how === 'add' ? change.text : '';
}
