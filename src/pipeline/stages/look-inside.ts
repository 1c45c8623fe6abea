/** Looks into a container that boots, for the ports and the health that its source had. */
import { P2cError, systemCode } from '../../errors.ts';
import { type Before, compareHealth } from '../../profiles/comparison.ts';
import { listeningPorts, takeFingerprint } from '../../profiles/fingerprint.ts';
import { pause } from '../../profiles/pause.ts';
import type { Profile } from '../../profiles/schema.ts';
import type { BootedPort, BootReport } from '../../report/boot-report.ts';
import { type Container, readState, type State } from '../../runtime/container.ts';
import { readLog } from '../../runtime/log.ts';
import { readHolds } from '../../runtime/quarantine/record.ts';
import type { CommandRunner } from '../../ssh/session.ts';
import { ContainerDoor } from '../container-door.ts';

/** As long as a system may take for its shutdown: a service that does not listen by then hardly ever will. */
const PORTS_MS = 90_000;
/** What ends at once has ended by then. */
const PROVES_ITSELF_MS = 3000;
const LOOK_AGAIN_MS = 500;
/** SMTP, and its submission (RFC 8314). */
const MAIL_PORTS = [25, 465, 587];

export interface Wanted {
  readonly before: Before;
  readonly profiles: readonly Profile[];
}

export interface Looked extends Pick<BootReport, 'health' | 'ports'> {
  /** Where the container has ended. */
  readonly error?: P2cError;
}

/** @param root the store's. @param signal ends the waiting: what is found then is of no worth. */
export async function lookInside(
  root: string,
  container: Container,
  { before, profiles }: Wanted,
  signal: AbortSignal,
): Promise<Looked> {
  const over = new AbortController();
  const looked = new AbortController();
  const waiting = AbortSignal.any([signal, over.signal]);
  const watching = untilEnded(container, looked.signal).then(() => over.abort());
  try {
    const door = new ContainerDoor(root, container, waiting);
    const proven = pause(PROVES_ITSELF_MS, waiting);
    const ports = await portsWithin(door, await expectedPorts(container, before, profiles), waiting);
    const health = await compareHealth(before, door, waiting);
    await proven;
    return over.signal.aborted ? { health, ports, error: await endedError(container) } : { health, ports };
  } finally {
    looked.abort();
    await watching;
  }
}

/** A system is to do all that its source did; without its init, only what the profiles know is started. */
async function expectedPorts(
  { folder, definition }: Container,
  { fingerprint }: Before,
  profiles: readonly Profile[],
): Promise<BootedPort[]> {
  const known = profiles.flatMap(({ ports }) => ports.map(({ port }) => port));
  const listened = listeningPorts(fingerprint);
  const wanted = definition.init.mode === 'system' ? listened : listened.filter((port) => known.includes(port));
  const noMail = ((await readHolds(folder)) ?? []).some(({ kind }) => kind === 'mail');
  return wanted.map((port) => ({ port, state: noMail && MAIL_PORTS.includes(port) ? 'held back' : 'silent' }));
}

async function portsWithin(
  door: CommandRunner,
  wanted: readonly BootedPort[],
  signal: AbortSignal,
): Promise<BootedPort[]> {
  const deadline = performance.now() + PORTS_MS;
  for (;;) {
    const listening = wanted.length === 0 ? [] : await listeningIn(door);
    const found = wanted.map(
      ({ port, state }): BootedPort => ({ port, state: listening.includes(port) ? 'listens' : state }),
    );
    const all = !found.some(({ state }) => state === 'silent');
    if (all || performance.now() > deadline || signal.aborted) return found;
    await pause(LOOK_AGAIN_MS, signal);
  }
}

/** A system that is on its way up or down does not always answer. */
async function listeningIn(door: CommandRunner): Promise<number[]> {
  try {
    return listeningPorts(await takeFingerprint(door));
  } catch {
    return [];
  }
}

async function untilEnded(container: Container, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await stateOf(container)) !== undefined) await pause(LOOK_AGAIN_MS, signal);
}

/** @returns undefined where it has ended, or somebody removed it. */
async function stateOf({ folder }: Container): Promise<State | undefined> {
  try {
    const state = await readState(folder);
    return state.status === 'exited' ? undefined : state;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function endedError({ folder, definition: { name } }: Container): Promise<P2cError> {
  const state = await readState(folder).catch(() => undefined);
  const how = state?.exitCode === undefined ? '' : ` with exit code ${state.exitCode}`;
  return new P2cError(`the container ${name} ended${how} while it was looked at`, {
    code: 'boot.ended',
    hint: `'p2c logs ${name}' has what it said, 'p2c rm ${name}' removes it, and 'p2c run' boots the image in another way`,
    cause: new Error(await lastWords(folder)),
  });
}

async function lastWords(folder: string): Promise<string> {
  let last = '';
  try {
    for await (const { text } of readLog(folder, async () => false)) if (text.trim() !== '') last = text.trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  return last === '' ? 'it said nothing' : `it said last: ${last.slice(-500)}`;
}
