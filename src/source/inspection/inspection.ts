/** All that p2c learns of a server without changing it: one record, safe to print and to keep. */
import { printable } from '../../printable.ts';
import { quoteAll } from '../../ssh/quote.ts';
import type { Session } from '../../ssh/session.ts';
import type { SourceFacts } from '../facts.ts';
import { CONTAINER_SECTIONS, type Containers, readContainers, readPlatform } from './containers.ts';
import {
  DATA_SECTIONS,
  type DataDirectory,
  dataSections,
  presentDirectories,
  readDataDirectories,
} from './data-directories.ts';
import { type Fact, known, valueOr } from './fact.ts';
import { IDENTITY_SECTIONS, type Resources, readLocale, readResources, readTimeZone } from './identity.ts';
import { INIT_SECTIONS, type InitSystem, type Runlevel, readInit, readRunlevel } from './init-system.ts';
import { LIBC_SECTIONS, type Libc, readLibc, readUserlandBits } from './libc.ts';
import { LICENCE_SECTIONS, type LicenceSign, readLicences } from './licences.ts';
import { MODULE_SECTIONS, type Modules, readModules } from './modules.ts';
import { NETWORK_SECTIONS, type Network, readNetwork } from './network.ts';
import { OPEN_FILE_SECTIONS, type OpenFile, readOpenFiles } from './open-files.ts';
import { ownerOf, ownerSections, PACKAGE_SECTIONS, type Packages, readOwners, readPackages } from './packages.ts';
import { limitsSection, type ProcessLimits, readLimits } from './process-limits.ts';
import { PROCESS_SECTIONS, readProcesses, type ServerProcess } from './processes.ts';
import { RELEASE_SECTIONS, type Release, readRelease } from './release.ts';
import { type Job, readSchedule, SCHEDULE_SECTIONS } from './schedule.ts';
import { type Answers, ask, type Question, type Section, sessionLimit } from './sections.ts';
import { type Guards, readGuards, SECURITY_SECTIONS } from './security.ts';
import { readServices, SERVICE_SECTIONS, type Service } from './services.ts';
import { type Listener, readListeners, SOCKET_SECTIONS } from './sockets.ts';
import { readVolumes, STORAGE_SECTIONS, sizeSection, type Volume } from './storage.ts';
import { readUsers, USER_SECTIONS, type Users } from './users.ts';

/** A process and the package that its program came with; null where no package has it, or nobody could be asked. */
export interface OwnedProcess extends ServerProcess {
  readonly package: string | null;
}

export interface Inspection {
  readonly hostname: string;
  readonly kernel: string;
  readonly machine: string;
  /** False: what only root may see is not known. */
  readonly root: boolean;
  readonly release: Release;
  readonly libc: Fact<Libc>;
  readonly userlandBits: Fact<32 | 64>;
  readonly init: Fact<InitSystem>;
  readonly runlevel: Fact<Runlevel>;
  readonly platform: Fact<string>;
  readonly timeZone: Fact<string>;
  readonly locale: Fact<string>;
  readonly resources: Fact<Resources>;
  readonly volumes: readonly Volume[];
  readonly processes: Fact<readonly OwnedProcess[]>;
  readonly listeners: Fact<readonly Listener[]>;
  readonly services: Fact<readonly Service[]>;
  readonly schedule: Fact<readonly Job[]>;
  readonly users: Fact<Users>;
  readonly packages: Fact<Packages>;
  readonly network: Fact<Network>;
  readonly guards: Fact<Guards>;
  readonly modules: Fact<Modules>;
  readonly openFiles: Fact<{
    readonly written: readonly OpenFile[];
    readonly deleted: readonly OpenFile[];
    readonly devices: readonly OpenFile[];
  }>;
  readonly licences: Fact<readonly LicenceSign[]>;
  readonly containers: Fact<Containers>;
  readonly dataDirectories: Fact<readonly DataDirectory[]>;
  /** Of the processes that listen, and of those that keep data. */
  readonly limits: readonly ProcessLimits[];
  /** Those of the paths that were asked for that are there. */
  readonly existing: readonly string[];
}

const SYSTEM: readonly Section[] = [
  ...RELEASE_SECTIONS,
  ...LIBC_SECTIONS,
  ...INIT_SECTIONS,
  ...IDENTITY_SECTIONS,
  ...USER_SECTIONS,
  ...NETWORK_SECTIONS,
  ...SECURITY_SECTIONS,
  ...MODULE_SECTIONS,
  ...STORAGE_SECTIONS,
  ...LICENCE_SECTIONS,
  ...DATA_SECTIONS,
  ...SCHEDULE_SECTIONS.filter(({ name }) => name !== 'timers'),
];
/** These ask programs that may be slow, or wait for a daemon that is stuck: each has a command, and a limit, of its own. */
const PROCESSES: Question = {
  purpose: 'look at the processes',
  sections: [...PROCESS_SECTIONS, ...OPEN_FILE_SECTIONS, ...SOCKET_SECTIONS],
};
const SERVICES: Question = {
  purpose: 'ask which services there are',
  sections: [...SERVICE_SECTIONS, ...SCHEDULE_SECTIONS.filter(({ name }) => name === 'timers')],
};
const PACKAGES: Question = { purpose: 'list the packages', sections: PACKAGE_SECTIONS, timeoutMs: 60_000 };
const CONTAINERS: Question = { purpose: 'look for containers', sections: CONTAINER_SECTIONS };

/**
 * Two rounds of read-only commands: what the server is, and then what follows from it.
 * @param paths of which it is to be told whether they exist.
 */
export async function inspectSource(
  session: Session,
  facts: SourceFacts,
  paths: readonly string[],
): Promise<Inspection> {
  const there: Section = {
    name: 'there',
    script: `for p in ${quoteAll(paths)}; do [ -e "$p" ] && echo "$p"; done`,
    maxBytes: 256 * 1024,
  };
  const limit = sessionLimit();
  const [system, running, services, packages, containers] = await Promise.all([
    ask(
      session,
      { purpose: 'read what the system is', sections: paths.length === 0 ? SYSTEM : [...SYSTEM, there] },
      limit,
    ),
    ask(session, PROCESSES, limit),
    ask(session, SERVICES, limit),
    ask(session, PACKAGES, limit),
    ask(session, CONTAINERS, limit),
  ]);
  const first = { system, services, packages: readPackages(packages), containers };
  const processes = readProcesses(running);
  const files = readOpenFiles(running);
  const listeners = readListeners(running, files, valueOr(processes, []));
  const data = readDataDirectories(system, processes);
  const second = await askMore(session, facts, { processes, listeners, data, packages: first.packages });
  const found = { ...first, processes, files, listeners, data, second };
  return assemble(session, facts, found);
}

interface Known {
  readonly processes: Fact<readonly ServerProcess[]>;
  readonly listeners: Fact<readonly Listener[]>;
  readonly data: Fact<readonly DataDirectory[]>;
  readonly packages: Fact<Packages>;
}

/** What has to be known before it can be asked: sizes, owners of programs, limits, directories of data. */
async function askMore(
  session: Session,
  facts: SourceFacts,
  { processes, listeners, data, packages }: Known,
): Promise<Answers> {
  const all = valueOr(processes, []);
  const listening = new Set(valueOr(listeners, []).flatMap(({ owners }) => owners.map(({ pid }) => pid)));
  const keepers = new Set(valueOr(data, []).map(({ from }) => from));
  const notable = all.filter(({ pid }) => listening.has(pid) || keepers.has(`process ${pid}`));
  const programs = [...new Set(all.flatMap(({ exe }) => exe ?? []))].filter(
    (path) => /^\/[^\\]*$/.test(path) && !path.endsWith(' (deleted)'),
  );
  const owners = 'value' in packages ? ownerSections(packages.value.manager, programs) : [];
  const sections = [sizeSection(facts.filesystems), limitsSection(notable), ...dataSections(valueOr(data, []))];
  return ask(session, {
    purpose: 'ask for sizes, limits and the packages of programs',
    sections: [...sections, ...owners],
    timeoutMs: 60_000,
  });
}

interface Found extends Known {
  readonly system: Answers;
  readonly services: Answers;
  readonly containers: Answers;
  readonly files: ReturnType<typeof readOpenFiles>;
  readonly second: Answers;
}

function assemble(session: Session, facts: SourceFacts, found: Found): Inspection {
  const { system, processes, second } = found;
  const all = valueOr(processes, []);
  const init = readInit(system);
  const runlevel = readRunlevel(system);
  const boot = valueOr(runlevel, { current: '', boot: '' });
  const scheduled = readSchedule(system);
  const timers = readSchedule(found.services);
  return {
    hostname: printable(facts.hostname),
    kernel: printable(facts.kernel),
    machine: printable(facts.machine),
    root: session.privilege !== 'none',
    release: readRelease(system),
    libc: readLibc(system),
    userlandBits: readUserlandBits(system),
    init,
    runlevel,
    platform: readPlatform(found.containers),
    timeZone: readTimeZone(system),
    locale: readLocale(system),
    resources: readResources(system),
    volumes: readVolumes(facts.filesystems, system, second),
    processes: ownedProcesses(found),
    listeners: found.listeners,
    services: readServices(
      found.services,
      system,
      valueOr(init, undefined)?.kind ?? 'unknown',
      boot.boot || boot.current,
      all,
    ),
    schedule: 'value' in scheduled ? { ...scheduled, value: [...scheduled.value, ...valueOr(timers, [])] } : scheduled,
    users: readUsers(system, all),
    packages: found.packages,
    network: readNetwork(system),
    guards: readGuards(system),
    modules: readModules(system),
    openFiles: 'value' in found.files ? { ...found.files, value: withoutSockets(found.files.value) } : found.files,
    licences: readLicences(system, processes),
    containers: readContainers(found.containers, processes),
    dataDirectories:
      'value' in found.data ? { ...found.data, value: presentDirectories(found.data.value, second) } : found.data,
    limits: readLimits(second),
    existing: system.lines('there'),
  };
}

function withoutSockets({
  written,
  deleted,
  devices,
}: {
  written: readonly OpenFile[];
  deleted: readonly OpenFile[];
  devices: readonly OpenFile[];
}) {
  return { written, deleted, devices };
}

function ownedProcesses({ processes, packages, second }: Found): Fact<OwnedProcess[]> {
  if ('unknown' in processes) return processes;
  const owners = 'value' in packages ? readOwners(packages.value.manager, second) : new Map<string, string>();
  const owned = processes.value.map((process) => ({ ...process, package: ownerOf(owners, process.exe) }));
  return known(owned, processes.note);
}
