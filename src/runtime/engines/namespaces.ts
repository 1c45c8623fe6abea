/** The engine that needs the kernel, util-linux and a POSIX sh, and nothing else. */
import { existsSync } from 'node:fs';
import { P2cError } from '../../errors.ts';
import { containerCgroups, makeCgroups, removeCgroups } from '../cgroup/container-cgroup.ts';
import { commandRefused } from '../command-refused.ts';
import type { Engine, Started } from '../engine.ts';
import { personalityCommand } from '../personality.ts';
import { identityFrom, type ProcessIdentity, parentOf } from '../process.ts';
import { isRootless } from '../rootless/user-namespace.ts';
import type { Bundle, ContainerProcess } from '../spec.ts';
import { type Ending, endingOf, limitOption } from './command-words.ts';
import { filterFault, wayOf, writeFilter } from './last-step-files.ts';
import { launch } from './launch.ts';
import { type OutputPipe, openOutputPipe } from './pipes.ts';
import { underTerminal } from './pseudo-terminal.ts';
import { setupOperations } from './setup-operations.ts';
import { INIT, JOIN, SETUP, TERMINALS } from './setup-script.ts';

/** What setup says before it is ready is an error message. */
const MAX_MESSAGES = 8192;

/** unshare(1) and nsenter(1) name them alike. */
const FLAGS: Readonly<Record<Bundle['linux']['namespaces'][number]['type'], string>> = {
  pid: '--pid',
  mount: '--mount',
  uts: '--uts',
  ipc: '--ipc',
  network: '--net',
  cgroup: '--cgroup',
};

export const namespacesEngine: Engine = {
  name: 'namespaces',

  async missing() {
    const fault = filterFault();
    return fault === undefined ? [] : [fault];
  },

  async start(place, bundle, streams) {
    const ending = endingOf(bundle.process, await writeFilter(place, bundle));
    const operations = await setupOperations(place, bundle, ending.words);
    const own = ['unshare', '--mount', '--cgroup', '--propagation', 'private'];
    const cgroups = await makeCgroups(place.id, bundle.linux.resources);
    const report = await openOutputPipe();
    const told = `/proc/${process.pid}/fd/${report.descriptor}`;
    const setup = ['sh', '-c', JOIN, 'sh', ...cgroups, '--', ...own, 'sh', '-c', SETUP, 'sh', told, ...operations];
    const terminals = bundle.mounts.find(({ type }) => type === 'devpts')?.options.join(',') ?? '';
    const words = [
      ...personalityCommand(bundle),
      ...['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', TERMINALS, 'sh', terminals],
      ...namespaceWords(bundle),
      ...(bundle.process.terminal
        ? underTerminal(setup, bundle.process.user.uid, streams.size)
        : ['sh', '-c', INIT, 'sh', ...setup]),
    ];
    try {
      const launched = await launch({ words, ...carriedBy(bundle.process, ending), streams, speaks: true });
      return {
        ...launched,
        ready: whenReady(launched.channel, report, bundle.process.args[0] ?? ''),
      } satisfies Started;
    } catch (error) {
      report.release();
      report.reader.destroy();
      throw error;
    }
  },

  async exec(place, init, bundle, process, streams) {
    const ending = endingOf(process, wayOf(place));
    const target = ['--target', String(init.pid)];
    const namespaces = bundle.linux.namespaces.map(({ type }) => FLAGS[type]);
    const enter = (flags: readonly string[]): string[] => [
      ...['prlimit', ...process.rlimits.map(limitOption)],
      ...['nsenter', ...target, ...flags, '--', ...ending.words],
    ];
    // The terminal is made where the container's terminals are seen; who is started under it is in the PID namespace.
    const words = process.terminal
      ? [
          ...['nsenter', ...target, '--pid', '--no-fork', `--mount=/proc/${holderOf(init)}/ns/mnt`, '--'],
          ...underTerminal(enter(namespaces.filter((flag) => flag !== '--pid')), process.user.uid, streams.size),
        ]
      : enter(namespaces);
    const cgroups = containerCgroups(place.id).flatMap(({ path }) => (existsSync(path) ? [path] : []));
    const all = [...personalityCommand(bundle), 'sh', '-c', JOIN, 'sh', ...cgroups, '--', ...words];
    return launch({ words: all, ...carriedBy(process, ending), streams, speaks: false });
  },

  async cleanUp({ id }) {
    await removeCgroups(id);
  },
};

/** script(1) takes the shell from its environment. */
function carriedBy({ terminal }: ContainerProcess, { environment }: Ending) {
  return { environment: { ...environment, SHELL: '/bin/sh' }, terminal };
}

/** Enters the namespaces that are there and makes the others, but for those that the setup makes. */
function namespaceWords({ linux: { namespaces } }: Bundle): string[] {
  const there = namespaces.flatMap(({ type, path }) => (path === undefined ? [] : [`${FLAGS[type]}=${path}`]));
  const made = namespaces.filter(({ type, path }) => path === undefined && type !== 'mount' && type !== 'cgroup');
  const enter = there.length > 0 ? ['nsenter', ...there, '--'] : [];
  return [...enter, 'unshare', ...made.map(({ type }) => FLAGS[type])];
}

/** The container's PID 1 was started from a mount namespace that is kept for its terminals. */
function holderOf(init: ProcessIdentity): number {
  const holder = parentOf(init.pid);
  if (holder !== undefined) return holder;
  throw new P2cError('the container ended just now', { code: 'engine.ended' });
}

/** Reads what the setup script says, until its command takes over or cannot. */
async function whenReady(
  channel: AsyncIterable<Buffer>,
  report: OutputPipe,
  command: string,
): Promise<ProcessIdentity> {
  const init = await whenSetUp(channel).finally(() => report.release());
  let said = '';
  for await (const chunk of report.reader) said += String(chunk);
  const found = /^(\d+) (.*)$/s.exec(said);
  if (found === null) return init;
  const [, code, why = ''] = found;
  throw code === '125' ? setupFailed(why) : commandRefused(command, Number(code), why);
}

async function whenSetUp(channel: AsyncIterable<Buffer>): Promise<ProcessIdentity> {
  let said = '';
  let init: ProcessIdentity | undefined;
  for await (const chunk of channel) {
    if (said.length < MAX_MESSAGES) said += String(chunk);
    init ??= identityFrom(/^init (.+)\n/m.exec(said)?.[1] ?? '');
    if (/^ready$/m.test(said) && init !== undefined) return init;
  }
  const messages = said.replace(/^(?:init .+|ready)\n/gm, '').trim();
  throw setupFailed(messages === '' ? 'the setup ended without a word' : messages);
}

const WITHOUT_ROOT = "'p2c doctor' says whether this machine runs containers without root; or sudo p2c run …";

function setupFailed(why: string): P2cError {
  return new P2cError('the container could not be set up', {
    code: 'engine.setup',
    hint: isRootless()
      ? WITHOUT_ROOT
      : "p2c needs root, a kernel with overlayfs and namespaces, util-linux, and a store on a filesystem of this machine's own",
    cause: new Error(why),
  });
}
