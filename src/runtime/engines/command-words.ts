/** The programs between the engine `namespaces` and a container's command: what they drop, and the environment they set. */
import { P2cError } from '../../errors.ts';
import { setprivOptions } from '../capabilities.ts';
import { loadsKernels } from '../machine/kexec.ts';
import { type ContainerProcess, RLIM_INFINITY } from '../spec.ts';
import { lastStep } from './last-step.ts';
import { WITH_ENVIRONMENT } from './setup-script.ts';
import { toolCommand } from './toolbox.ts';

/** RLIMIT_NOFILE is `--nofile=1024:4096` for prlimit(1). */
export function limitOption({ type, soft, hard }: ContainerProcess['rlimits'][number]): string {
  const value = (limit: number): string => (limit >= RLIM_INFINITY ? 'unlimited' : String(limit));
  return `--${type.slice('RLIMIT_'.length).toLowerCase()}=${value(soft)}:${value(hard)}`;
}

/** The last programs before a command, and what of their environment is the command's. */
export interface Ending {
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** By one program that loads a filter if there is one, or by several that cannot. */
export type Way = 'filtered' | 'unfiltered' | 'plain';

/** From a process with all capabilities in the namespace's root to the command in the container. */
export function endingOf(process: ContainerProcess, way: Way): Ending {
  const words = way === 'plain' ? undefined : lastStep(process, way === 'filtered');
  if (words !== undefined) return { words, environment: carried(process.env) };
  return { words: plainWords(process), environment: carried(sortedEnvironment(process.env).others) };
}

/**
 * Capabilities and groups, then environment, then root, working folder and user. The user comes last, for chroot(2) takes
 * a capability.
 */
function plainWords({ user, env, cwd, args, capabilities }: ContainerProcess): string[] {
  if (!capabilities.bounding.includes('CAP_SYS_CHROOT')) {
    throw new P2cError('without perl, a container of the engine namespaces cannot lack SYS_CHROOT', {
      code: 'engine.capability',
      hint: 'install perl-base or runc',
    });
  }
  const groups = [...new Set([user.gid, ...user.additionalGids])].join(',');
  const kept = keptCapabilities(capabilities.bounding, loadsKernels());
  const { loader, others } = sortedEnvironment(env);
  return [
    ...toolCommand('setpriv', ...setprivOptions(kept), `--regid=${user.gid}`, `--groups=${groups}`),
    ...toolCommand('sh', '-c', WITH_ENVIRONMENT, 'sh', String(others.length)),
    ...toolCommand('unshare', '--root=/c', `--wd=${cwd}`, `--setuid=${user.uid}`, '--'),
    ...(loader.length > 0 ? ['env', ...loader] : []),
    ...args,
  ];
}

/**
 * What a container keeps that has no filter: SYS_BOOT, by which systems halt in their PID namespace, is kexec_load(2) too,
 * and the machine's next reboot would run what was loaded. Who has SYS_ADMIN is privileged anyway.
 */
export function keptCapabilities(bounding: readonly string[], kernelsLoad: boolean): readonly string[] {
  if (!kernelsLoad || bounding.includes('CAP_SYS_ADMIN')) return bounding;
  return bounding.filter((name) => name !== 'CAP_SYS_BOOT');
}

/** The loader's own variables are meant for the image's libraries: its own `env` sets them. */
function sortedEnvironment(env: readonly string[]): { loader: string[]; others: string[] } {
  const loader = env.filter((text) => /^(?:LD_|GLIBC_TUNABLES=)/.test(text));
  return { loader, others: env.filter((text) => !loader.includes(text)) };
}

/** What `WITH_ENVIRONMENT` and perl's script read. */
function carried(env: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(env.map((text, at) => [`P2C_ENV_${at}`, text]));
}
