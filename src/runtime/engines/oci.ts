/**
 * The engine that hands a bundle to an OCI runtime, runc or crun. The runtime stays in the foreground, as the parent of
 * the container's PID 1: so it passes on the exit code, and takes the cgroups away at the end.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, P2cError } from '../../errors.ts';
import { removeCgroups } from '../cgroup/container-cgroup.ts';
import { commandRefused } from '../command-refused.ts';
import type { Engine, Launched, Place, Started } from '../engine.ts';
import { findProgram, runHostProgram } from '../host-program.ts';
import type { EngineName } from '../options.ts';
import { personalityCommand } from '../personality.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from '../process.ts';
import { specText } from '../spec.ts';
import { type LaunchedProgram, launch } from './launch.ts';
import { EXEC, MOUNT_ROOT } from './oci-scripts.ts';
import { underTerminal } from './pseudo-terminal.ts';
import { RuntimeMessages } from './runtime-messages.ts';

const PID_FILE = 'init.pid';
const POLL = 10;
const LOG = ['--log', '/proc/self/fd/3', '--log-format', 'json'];

/** @param name of the program, which is looked for when it is used. */
export function ociEngine(name: Exclude<EngineName, 'namespaces'>): Engine {
  const runtime = ({ folder }: Pick<Place, 'folder'>): string[] => [findProgram(name), '--root', stateFolder(folder)];
  return {
    name,

    async missing() {
      return [];
    },

    async start(place, bundle, streams) {
      const { folder, id, layers, privileged } = place;
      const pidFile = join(folder, PID_FILE);
      await rm(pidFile, { force: true });
      const run = [...runtime(place), ...LOG, 'run', '--bundle', folder, '--pid-file', pidFile, id];
      const flags = privileged ? 'rw' : 'rw,nodev';
      const lower = layers.map((layer) => layer.folder);
      const words = [
        ...['unshare', '--mount', '--propagation', 'private'],
        ...['sh', '-c', MOUNT_ROOT, 'sh', folder, flags, ...lower, '--', ...personalityCommand(bundle), ...run],
      ];
      const { terminal } = bundle.process;
      const launched = await launch({
        words: terminal ? underTerminal(words, 0, streams.size) : words,
        environment: SHELL,
        terminal,
        streams,
        speaks: true,
      });
      return { ...launched, ...whenStarted(launched, pidFile, bundle.process.args[0] ?? '') } satisfies Started;
    },

    async exec(place, _init, bundle, process, streams) {
      const file = join(place.folder, `exec-${randomBytes(8).toString('hex')}.json`);
      await writeFile(file, specText(process), { mode: 0o600 });
      // Nobody hears what the runtime of a detached process says.
      const speaks = streams.output === 'pipe';
      const log = speaks ? LOG : ['--log', '/dev/null'];
      const exec = [...runtime(place), ...log, 'exec', '--process', '/proc/self/fd/4', place.id];
      const words = ['sh', '-c', EXEC, 'sh', file, ...personalityCommand(bundle), ...exec];
      const launched = await launch({
        words: process.terminal ? underTerminal(words, 0, streams.size) : words,
        environment: SHELL,
        terminal: process.terminal,
        streams,
        speaks,
      });
      const messages = new RuntimeMessages(launched.channel);
      const ended = launched.ended.then(async (code) => (await messages.refusal())?.exitCode ?? code);
      return { ...launched, ended } satisfies Launched;
    },

    async cleanUp(place) {
      const state = stateFolder(place.folder);
      if (existsSync(join(state, place.id))) {
        await runHostProgram([...runtime(place), 'delete', '--force', place.id]);
      }
      await rm(state, { recursive: true, force: true });
      await removeCgroups(place.id);
    },
  };
}

const SHELL = { SHELL: '/bin/sh' };

/** The runtime's own records, gone with the container. */
function stateFolder(folder: string): string {
  return join(folder, 'runtime');
}

function whenStarted(
  { ended, channel }: LaunchedProgram,
  pidFile: string,
  command: string,
): Pick<Started, 'ready' | 'ended'> {
  const messages = new RuntimeMessages(channel);
  const over = ended.then(async (code) => ({ code, refusal: await messages.refusal() }));
  const ready = async (): Promise<ProcessIdentity> => {
    let hasEnded = false;
    const end = over.finally(() => {
      hasEnded = true;
    });
    let init: ProcessIdentity | undefined;
    for (let left = TAKING_OVER; ; ) {
      const pid = await readPid(pidFile);
      init ??= pid === undefined ? undefined : identifyProcess(pid);
      if (init !== undefined && isAlive(init)) {
        if (left === 0 || !isRuntimes(init)) return init;
        left -= 1;
      }
      if (hasEnded) break;
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, POLL))]);
    }
    const { refusal } = await end;
    if (refusal?.exitCode !== undefined) throw commandRefused(command, refusal.exitCode, refusal.message);
    // One that has ended already is one that no signal reaches.
    if ((await readPid(pidFile)) !== undefined) return init ?? NOBODY;
    throw new P2cError('the container could not be set up', {
      code: 'engine.setup',
      hint: "'--engine namespaces' does without an OCI runtime",
      cause: new Error(refusal?.message ?? 'the runtime ended without a word'),
    });
  };
  return { ready: ready(), ended: over.then(({ code, refusal }) => refusal?.exitCode ?? code) };
}

/** A command may call itself as the runtime does: so often it is looked at. */
const TAKING_OVER = 100;

/** Whether it is still the runtime's part in the container, that is to become the command: so runc calls that (proc(5), comm). */
function isRuntimes({ pid }: ProcessIdentity): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('runc:[');
  } catch {
    return false;
  }
}

/** No process has this start time. */
const NOBODY: ProcessIdentity = { pid: 1, startTime: 'ended' };

async function readPid(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'latin1').catch((error: unknown) => {
    if (messageOf(error).includes('ENOENT')) return '';
    throw error;
  });
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}
