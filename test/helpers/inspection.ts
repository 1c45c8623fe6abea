/** A server in good order, as an inspection finds it; tests change what they are about. */

import type { Situation } from '../../src/advice/verdict.ts';
import type { Machine } from '../../src/runtime/machine/machine.ts';
import type { SourceFacts } from '../../src/source/facts.ts';
import { known } from '../../src/source/inspection/fact.ts';
import type { Inspection, OwnedProcess } from '../../src/source/inspection/inspection.ts';
import type { ServerProcess } from '../../src/source/inspection/processes.ts';

/** A process of which little is known. */
export function serverProcess(name: string, more: Partial<ServerProcess> = {}): ServerProcess {
  return {
    pid: 100,
    parent: 1,
    name,
    uid: 0,
    args: name,
    exe: undefined,
    cwd: undefined,
    residentBytes: 0,
    writtenBytes: undefined,
    unit: undefined,
    inContainer: false,
    ...more,
  };
}

export function ownedProcess(name: string, more: Partial<OwnedProcess> = {}): OwnedProcess {
  const known = { exe: `/usr/sbin/${name}`, cwd: '/', residentBytes: 1e6, writtenBytes: 0 };
  return { ...serverProcess(name, known), package: null, ...more };
}

export const SERVER: Inspection = {
  hostname: 'old',
  kernel: '4.9.0',
  machine: 'x86_64',
  root: true,
  release: { name: 'Debian GNU/Linux 9', id: 'debian', version: '9', family: 'debian' },
  libc: known({ kind: 'glibc', version: '2.24' }),
  userlandBits: known(64),
  init: known({ kind: 'sysvinit', version: '', program: '/sbin/init' }),
  runlevel: known({ current: '2', boot: '2' }),
  platform: known('Dell'),
  timeZone: known('Etc/UTC'),
  locale: known('C'),
  resources: known({ memoryBytes: 4e9, processors: 2, uptimeSeconds: 1000, sharedMemoryBytes: 0, hugePages: 0 }),
  volumes: [
    {
      mountPoint: '/',
      type: 'ext4',
      device: '/dev/sda1',
      verdict: 'included',
      layers: [],
      size: known({ bytes: 1e10, used: 1e9 }),
      writeRate: known(1000),
    },
  ],
  processes: known([]),
  listeners: known([]),
  services: known([]),
  schedule: known([]),
  users: known({ accounts: 20, ofNote: [], largestId: 1000, directories: [], loggedIn: [] }),
  packages: known({ manager: 'dpkg', installed: [] }),
  network: known({ addresses: [], routes: [], nameServers: [], hardware: [] }),
  guards: known({ selinux: 'disabled', appArmorProfiles: 0 }),
  modules: known({ loaded: 10, ofNote: [] }),
  openFiles: known({ written: [], deleted: [], devices: [] }),
  licences: known([]),
  containers: known({ engines: [], running: [], processes: 0, stores: [] }),
  dataDirectories: known([]),
  limits: [],
  existing: [],
};

export const MACHINE: Machine = {
  architecture: 'x86_64',
  kernel: '6.1.0',
  root: true,
  memoryBytes: 8e9,
  vsyscall: 'xonly',
  ia32: { able: true },
  uname26: { able: true },
  cgroups: { mode: 'v2', controllers: ['cpu', 'memory', 'pids'], systemdHierarchy: false },
  namespaces: { able: true },
  overlay: { able: true },
  userNamespaces: { able: true },
  subordinate: { uids: 0, gids: 0 },
  withoutRoot: [],
  cni: { folder: '/usr/lib/cni', found: ['bridge'], missing: [] },
  engines: [{ name: 'namespaces', version: null, works: { able: true } }],
  programs: [],
  store: { folder: '/var/lib/p2c', freeBytes: 8e10 },
};

/** What was found out about a GNU tar of our days. */
export const GNU_TAR: SourceFacts['tools']['tar'] = {
  version: 'tar (GNU tar) 1.29',
  flavour: 'gnu',
  takesNames: true,
  posixFormat: true,
  xattrs: true,
  xattrsInclude: true,
  acls: true,
  hardDereference: true,
  noUnquote: true,
  sparse: true,
};

const FACTS: SourceFacts = {
  hostname: 'old',
  machine: 'x86_64',
  kernel: '4.9.0',
  clockAhead: 0,
  distribution: 'Debian GNU/Linux 9',
  filesystems: [],
  swapFiles: [],
  tools: {
    tar: GNU_TAR,
    find: { version: 'find (GNU findutils)', flavour: 'gnu' },
    stat: 'gnu',
    sh: '/bin/dash',
    lister: 'find -printf',
    nanoseconds: true,
    attributeReaders: [],
    compressors: [],
  },
};

export function situation(
  inspection: Partial<Inspection> = {},
  machine: Partial<Machine> = {},
  tar: Partial<SourceFacts['tools']['tar']> = {},
): Situation {
  return {
    facts: { ...FACTS, tools: { ...FACTS.tools, tar: { ...FACTS.tools.tar, ...tar } } },
    inspection: { ...SERVER, ...inspection },
    machine: { ...MACHINE, ...machine },
  };
}
