/** The engine that needs the kernel, util-linux and a POSIX sh, and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { P2cError } from '../../errors.ts';
import { setprivOptions } from '../capabilities.ts';
import type { Engine, Launched, Place, Started, Streams } from '../engine.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { identityFrom, type ProcessIdentity, parentOf } from '../process.ts';
import { type Bundle, type ContainerProcess, RLIM_INFINITY } from '../spec.ts';
import { closeInheritedFiles } from './inherited-files.ts';
import { openOutputPipes } from './output-pipe.ts';
import { underTerminal } from './pseudo-terminal.ts';
import { INIT, SETUP, TERMINALS, WITH_ENVIRONMENT } from './setup-script.ts';
import { toolCommand, toolFiles } from './toolbox.ts';

/** What setup says before it is ready is an error message. */
const MAX_MESSAGES = 8192;

const DEVICES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
];
const LINKS: readonly (readonly [target: string, name: string])[] = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
];
const UNSHARE: Readonly<Record<Bundle['linux']['namespaces'][number]['type'], string>> = {
  pid: '--pid',
  mount: '--mount',
  uts: '--uts',
  ipc: '--ipc',
  network: '--net',
};

export const namespacesEngine: Engine = {
  async start(place, bundle, privileged, streams) {
    const operations = await setupOperations(place, bundle, privileged);
    const setup = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', SETUP, 'sh', ...operations];
    const terminals = bundle.mounts.find(({ type }) => type === 'devpts')?.options.join(',') ?? '';
    const flags = bundle.linux.namespaces.filter(({ type }) => type !== 'mount').map(({ type }) => UNSHARE[type]);
    const words = [
      ...['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', TERMINALS, 'sh', terminals, 'unshare', ...flags],
      ...(bundle.process.terminal ? underTerminal(setup, bundle.process.user.uid) : ['sh', '-c', INIT, 'sh', ...setup]),
    ];
    const { child, ...launched } = await launch(words, bundle.process, streams, ['pipe']);
    return { ...launched, ready: whenReady(child) } satisfies Started;
  },

  async exec(init, bundle, process, streams) {
    const target = ['--target', String(init.pid)];
    const namespaces = bundle.linux.namespaces.map(({ type }) => UNSHARE[type]);
    const enter = (flags: readonly string[]): string[] => [
      ...['prlimit', ...process.rlimits.map(limitOption)],
      ...['nsenter', ...target, ...flags, '--', ...commandWords(process)],
    ];
    // The terminal is made where the container's terminals are seen; who is started under it is in the PID namespace.
    const words = process.terminal
      ? [
          ...['nsenter', ...target, '--pid', '--no-fork', `--mount=/proc/${holderOf(init)}/ns/mnt`, '--'],
          ...underTerminal(enter(namespaces.filter((flag) => flag !== '--pid')), process.user.uid),
        ]
      : enter(namespaces);
    const { child: _, ...launched } = await launch(words, process, streams, []);
    return launched satisfies Launched;
  },
};

/** The container's PID 1 was started from a mount namespace that is kept for its terminals. */
function holderOf(init: ProcessIdentity): number {
  const holder = parentOf(init.pid);
  if (holder !== undefined) return holder;
  throw new P2cError('the container ended just now', { code: 'engine.ended' });
}

async function setupOperations(place: Place, bundle: Bundle, privileged: boolean): Promise<string[]> {
  const tools = await toolFiles();
  const binds = bundle.mounts.filter((mount) => mount.type === undefined);
  const kernel = bundle.mounts.filter((mount) => mount.type !== undefined);
  const kinds = binds.map(({ source }) => (statSync(source).isDirectory() ? 'folder' : 'file'));
  return [
    join(place.folder, bundle.root.path),
    ...tools.flatMap(({ source, name }) => ['tool', source, name]),
    ...place.layers.flatMap(({ folder }) => ['layer', folder]),
    ...['writable', join(place.folder, 'upper'), join(place.folder, 'work')],
    ...binds.flatMap(({ source, options }, at) => {
      const how = options.includes('rbind') ? 'rbind' : 'bind';
      const flags = options.filter((option) => ['ro', 'rw', 'nodev', 'nosuid', 'noexec'].includes(option));
      return ['volume', String(at), source, kinds[at] ?? 'file', how, flags.join(',')];
    }),
    ...['hostname', bundle.hostname],
    ...['overlay', privileged ? 'rw' : 'rw,nodev'],
    '--',
    ...(bundle.linux.namespaces.some(({ type }) => type === 'network') ? ['loopback'] : []),
    ...kernel.flatMap(({ type, destination, options }) =>
      type === 'devpts' ? ['terminals', destination] : ['mount', type ?? '', destination, options.join(',')],
    ),
    ...['devices', ...DEVICES.flatMap(([name, major, minor]) => ['device', name, String(major), String(minor)])],
    ...LINKS.flatMap(([target, name]) => ['link', target, name]),
    ...binds.flatMap(({ destination }, at) => ['move', String(at), kinds[at] ?? 'file', destination]),
    ...['folder', bundle.process.cwd],
    ...bundle.linux.maskedPaths.flatMap((path) => ['mask', path]),
    ...bundle.linux.readonlyPaths.flatMap((path) => ['readonly', path]),
    ...bundle.process.rlimits.flatMap((limit) => ['limit', limitOption(limit)]),
    '--',
    ...commandWords(bundle.process),
  ];
}

/** RLIMIT_NOFILE is `--nofile=1024:4096` for prlimit(1). */
function limitOption({ type, soft, hard }: ContainerProcess['rlimits'][number]): string {
  const value = (limit: number): string => (limit >= RLIM_INFINITY ? 'unlimited' : String(limit));
  return `--${type.slice('RLIMIT_'.length).toLowerCase()}=${value(soft)}:${value(hard)}`;
}

/**
 * From a process with all capabilities in the namespace's root to the command in the container: capabilities and groups,
 * then environment, then root, working folder and user. The user comes last, for chroot(2) takes a capability.
 */
function commandWords({ user, env, cwd, args, capabilities }: ContainerProcess): string[] {
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
function carriedEnvironment(env: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(sortedEnvironment(env).others.map((text, at) => [`P2C_ENV_${at}`, text]));
}

async function launch(
  words: readonly string[],
  { terminal, env }: ContainerProcess,
  streams: Streams,
  channel: readonly 'pipe'[],
) {
  const [program = '', ...rest] = words;
  const path = findProgram(program);
  closeInheritedFiles();
  const [output, errors] = await openOutputPipes(streams.output === 'none' ? 0 : terminal ? 1 : 2);
  const out = output?.descriptor ?? 'ignore';
  // script(1) takes an ended input for the end of the session: where there is none, it gets one that stays open.
  const silent = terminal ? 'pipe' : 'ignore';
  const child = spawn(path, rest, {
    env: { ...HOST_ENVIRONMENT, ...carriedEnvironment(env), SHELL: '/bin/sh' },
    cwd: '/',
    stdio: [streams.input === 'inherit' ? 'inherit' : silent, out, errors?.descriptor ?? out, ...channel],
    // Without a terminal of its own, a session of its own: the user's terminal is then nobody's in there. With one,
    // script must stay in the foreground to hear of a new window size.
    detached: !terminal,
  });
  output?.release();
  errors?.release();
  if (streams.output === 'none') child.unref();
  const ended = exitCodeOf(child, path);
  const pid = child.pid;
  if (pid === undefined) {
    await ended;
    throw new P2cError(`${path} could not be started`, { code: 'engine.start' });
  }
  return { child, pid, ended, output: output?.reader, errors: errors?.reader };
}

function exitCodeOf(child: ChildProcess, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new P2cError(`${path} could not be started`, { code: 'engine.start', cause }));
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function setupChannel(child: ChildProcess): Readable | undefined {
  const channel = child.stdio[3];
  return channel instanceof Readable ? channel : undefined;
}

/** Reads what the setup script says. */
async function whenReady(child: ChildProcess): Promise<ProcessIdentity> {
  let said = '';
  let init: ProcessIdentity | undefined;
  for await (const chunk of setupChannel(child) ?? []) {
    if (said.length < MAX_MESSAGES) said += String(chunk);
    init ??= identityFrom(/^init (.+)\n/m.exec(said)?.[1] ?? '');
    if (/^ready$/m.test(said) && init !== undefined) return init;
  }
  const messages = said.replace(/^(?:init .+|ready)\n/gm, '').trim();
  throw new P2cError('the container could not be set up', {
    code: 'engine.setup',
    hint: "p2c needs root, a kernel with overlayfs and namespaces, util-linux, and a store on a filesystem of this machine's own",
    cause: new Error(messages === '' ? 'the setup ended without a word' : messages),
  });
}
