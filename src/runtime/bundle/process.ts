/** The process of a bundle: what the image says and what the user asked for, on top of what every container gets. */
import { usageError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import { containerCapabilities } from '../capabilities.ts';
import { commandOf } from '../command-line.ts';
import type { RunOptions } from '../options.ts';
import { type LayerRoot, resolveInRoot } from '../root-path.ts';
import { type ContainerProcess, RLIM_INFINITY } from '../spec.ts';
import { attainableUlimits } from '../ulimit.ts';
import { resolveUser } from '../user.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @throws P2cError (usage): no command, an unknown user, capability or limit. */
export function makeProcess(
  image: Image,
  layers: readonly LayerRoot[],
  options: RunOptions,
  hostname: string,
): ContainerProcess {
  const execution = image.config.config ?? {};
  const user = resolveUser(layers, options.user ?? execution.User ?? '');
  const capabilities = containerCapabilities(options);
  const held = user.uid === 0 ? capabilities : [];
  const defaults = [DEFAULT_PATH, `HOSTNAME=${hostname}`, 'container=p2c', `HOME=${user.home}`];
  return {
    terminal: options.terminal,
    user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] },
    args: commandOf(image, options.entrypoint, options.command),
    env: mergeEnvironment(defaults, options.terminal ? ['TERM=xterm'] : [], execution.Env ?? [], options.environment),
    cwd: workingFolder(layers, options.workingFolder ?? execution.WorkingDir ?? '/'),
    capabilities: { bounding: capabilities, effective: held, permitted: held },
    rlimits: attainableUlimits(options.ulimits).map(({ name, soft, hard }) => ({
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: soft === 'unlimited' ? RLIM_INFINITY : soft,
      hard: hard === 'unlimited' ? RLIM_INFINITY : hard,
    })),
    // Old systems live by su and sudo.
    noNewPrivileges: false,
  };
}

/** Later lists win; what is no assignment is left out. */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const variables = new Map<string, string>();
  for (const text of lists.flat()) {
    const equals = text.indexOf('=');
    if (equals > 0 && !text.includes('\0')) variables.set(text.slice(0, equals), text);
  }
  return [...variables.values()];
}

function workingFolder(layers: readonly LayerRoot[], path: string): string {
  const folder = path === '' ? '/' : path;
  if (!folder.startsWith('/') || folder.includes('\0')) {
    throw usageError(`the working folder '${folder}' is not absolute`, { code: 'runtime.workdir' });
  }
  const found = resolveInRoot(layers, folder);
  if (found.kind === 'file') {
    throw usageError(`the working folder '${folder}' is a file in the image`, { code: 'runtime.workdir' });
  }
  return found.path;
}
