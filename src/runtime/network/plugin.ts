/** Calls a CNI plugin (CNI specification 1.0.0, sections 2 to 4): environment and standard input in, JSON out. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { P2cError, usageError } from '../../errors.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';

/** Debian, the plugins' own releases, Fedora. */
const FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];
/** A result is a few kilobytes. Bytes. */
const MOST = 1024 * 1024;
/** A plugin makes a few system calls, and waits for iptables' lock at worst. Milliseconds. */
const PATIENCE = 120_000;

export type PluginCommand = 'ADD' | 'DEL';

export interface PluginCall {
  readonly type: string;
  readonly command: PluginCommand;
  readonly containerId: string;
  /** The file of the container's network namespace; empty where it is gone. */
  readonly namespace: string;
  /** The interface in the container. */
  readonly interfaceName: string;
  /** CNI_ARGS: `KEY=VALUE;…`. */
  readonly arguments: string;
  readonly configuration: object;
  /** The namespace to work from in place of the machine's own. */
  readonly from?: string | undefined;
}

const errorSchema = z.looseObject({ code: z.int().optional(), msg: z.string(), details: z.string().optional() });

/** CNI_PATH's folders first: that is where CNI's users name their own. */
function pluginFolders(): string[] {
  const own = (process.env['CNI_PATH'] ?? '').split(':').filter((folder) => isAbsolute(folder));
  return [...own, ...FOLDERS];
}

/** @returns undefined where it is not installed. */
export function findPlugin(type: string): string | undefined {
  return pluginFolders()
    .map((folder) => join(folder, type))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** @throws P2cError `network.plugins` (usage) for the first that is not installed. */
export function requirePlugins(types: readonly string[]): void {
  for (const type of types) {
    if (findPlugin(type) !== undefined) continue;
    throw usageError(`the network plugin '${type}' is not installed on this machine`, {
      code: 'network.plugins',
      hint: `apt install containernetworking-plugins (it was looked for in ${pluginFolders().join(', ')}); --network none and host need no plugins`,
    });
  }
}

/**
 * @returns what it printed, parsed; undefined where it printed nothing, as for DEL.
 * @throws P2cError `network.plugins`, `network.plugin` with the plugin's own words.
 */
export async function callPlugin(call: PluginCall): Promise<unknown> {
  requirePlugins([call.type]);
  const path = findPlugin(call.type) ?? call.type;
  const { code, stdout, stderr } = await execute(path, call);
  const said = parseJson(stdout);
  if (code === 0) return said;
  const error = errorSchema.safeParse(said);
  const words = error.success ? [error.data.msg, error.data.details ?? ''].filter((text) => text !== '') : [stderr];
  throw new P2cError(`the network plugin '${call.type}' failed at ${call.command} (exit code ${code})`, {
    code: 'network.plugin',
    cause: new Error(words.join(': ').trim() || 'it said nothing'),
  });
}

async function execute(path: string, call: PluginCall): Promise<{ code: number; stdout: string; stderr: string }> {
  const inside = call.from === undefined ? [] : [findProgram('nsenter'), `--net=${call.from}`, '--'];
  // It ends with p2c (prctl(2), PR_SET_PDEATHSIG): what is half done is undone later, under the lock that p2c no longer has.
  const words = ['--pdeathsig', 'KILL', '--', ...inside, path];
  const child = spawn(findProgram('setpriv'), words, {
    env: {
      ...HOST_ENVIRONMENT,
      CNI_COMMAND: call.command,
      CNI_CONTAINERID: call.containerId,
      CNI_NETNS: call.namespace,
      CNI_IFNAME: call.interfaceName,
      CNI_PATH: pluginFolders().join(':'),
      CNI_ARGS: call.arguments,
    },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    // Ctrl-C ends p2c in its own time: half of an interface helps nobody.
    detached: true,
  });
  const stdout: Buffer[] = [];
  let size = 0;
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MOST) stdout.push(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-8192);
  });
  // One that ends without reading has its reasons, and gives them.
  child.stdin.on('error', () => {}).end(JSON.stringify(call.configuration));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new P2cError(`the network plugin ${path} could not be started`, { code: 'network.plugin', cause }));
    });
    child.once('close', (exit) => resolve(exit ?? 137));
  });
  return { code, stdout: Buffer.concat(stdout).toString('utf8'), stderr };
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
