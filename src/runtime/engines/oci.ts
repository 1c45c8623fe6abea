/**
 * The engine that hands a bundle to an OCI runtime, runc or crun. The runtime stays in the foreground, as the parent of
 * the container's PID 1: so it passes on the exit code, and takes the cgroups away at the end.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, P2cError } from '../../errors.ts';
import { removeCgroups } from '../cgroup/container-cgroup.ts';
import type { Engine, Launched, Place, Started } from '../engine.ts';
import { findProgram, runHostProgram } from '../host-program.ts';
import type { EngineName } from '../options.ts';
import { personalityCommand } from '../personality.ts';
import { identifyProcess, type ProcessIdentity } from '../process.ts';
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
      return { ...launched, ...whenStarted(launched, pidFile) } satisfies Started;
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

/**
 * A command that the image has not, or that cannot be run, is an end of the container as any other, with the exit code
 * that a shell has for it.
 */
function whenStarted({ ended, channel }: LaunchedProgram, pidFile: string): Pick<Started, 'ready' | 'ended'> {
  const messages = new RuntimeMessages(channel);
  const over = ended.then(async (code) => ({ code, refusal: await messages.refusal() }));
  const ready = async (): Promise<ProcessIdentity> => {
    let hasEnded = false;
    const end = over.finally(() => {
      hasEnded = true;
    });
    for (;;) {
      const pid = await readPid(pidFile);
      // One that has ended already, or never began, is one that no signal reaches.
      if (pid !== undefined) return identifyProcess(pid) ?? NOBODY;
      if (hasEnded) break;
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, POLL))]);
    }
    const { refusal } = await end;
    if (refusal?.exitCode !== undefined) return NOBODY;
    throw new P2cError('the container could not be set up', {
      code: 'engine.setup',
      hint: "'--engine namespaces' does without an OCI runtime",
      cause: new Error(refusal?.message ?? 'the runtime ended without a word'),
    });
  };
  return { ready: ready(), ended: over.then(({ code, refusal }) => refusal?.exitCode ?? code) };
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
