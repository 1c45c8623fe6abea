/** The programs between the engine `namespaces` and a container's command: what they drop, and the environment they set. */
import { setprivOptions } from '../capabilities.ts';
import { type ContainerProcess, RLIM_INFINITY } from '../spec.ts';
import { WITH_ENVIRONMENT } from './setup-script.ts';
import { toolCommand } from './toolbox.ts';

/** RLIMIT_NOFILE is `--nofile=1024:4096` for prlimit(1). */
export function limitOption({ type, soft, hard }: ContainerProcess['rlimits'][number]): string {
  const value = (limit: number): string => (limit >= RLIM_INFINITY ? 'unlimited' : String(limit));
  return `--${type.slice('RLIMIT_'.length).toLowerCase()}=${value(soft)}:${value(hard)}`;
}

/**
 * From a process with all capabilities in the namespace's root to the command in the container: capabilities and groups,
 * then environment, then root, working folder and user. The user comes last, for chroot(2) takes a capability.
 */
export function commandWords({ user, env, cwd, args, capabilities }: ContainerProcess): string[] {
  const groups = [...new Set([user.gid, ...user.additionalGids])].join(',');
  const { loader, others } = sortedEnvironment(env);
  return [
    ...toolCommand('setpriv', ...setprivOptions(capabilities.bounding), `--regid=${user.gid}`, `--groups=${groups}`),
    ...toolCommand('sh', '-c', WITH_ENVIRONMENT, 'sh', String(others.length)),
    ...toolCommand('unshare', '--root=/c', `--wd=${cwd}`, `--setuid=${user.uid}`, '--'),
    ...(loader.length > 0 ? ['env', ...loader] : []),
    ...args,
  ];
}

/** The loader's own variables are meant for the image's libraries: its own `env` sets them. */
function sortedEnvironment(env: readonly string[]): { loader: string[]; others: string[] } {
  const loader = env.filter((text) => /^(?:LD_|GLIBC_TUNABLES=)/.test(text));
  return { loader, others: env.filter((text) => !loader.includes(text)) };
}

/** What `WITH_ENVIRONMENT` reads. */
export function carriedEnvironment(env: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(sortedEnvironment(env).others.map((text, at) => [`P2C_ENV_${at}`, text]));
}
