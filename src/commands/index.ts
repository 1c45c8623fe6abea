/** The table of verbs. Each is loaded only when it is called: importing all would cost each call a tenth of a second. */
import type { RunnableVerb } from './command.ts';

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  /** It starts a container as a rule, whose monitor may as well be begun before all else. */
  readonly starts?: boolean;
  load(): Promise<RunnableVerb>;
}

export const VERBS: readonly VerbEntry[] = [
  {
    name: 'inspect',
    summary: 'show what a server is, whether it will work in a container here, and a plan for it (read-only)',
    load: async () => (await import('./inspect.ts')).verb,
  },
  {
    name: 'audit',
    summary: 'show mounts, duplicate entries, sizes and what would be left out, and why (read-only)',
    load: async () => (await import('./audit.ts')).verb,
  },
  {
    name: 'migrate',
    summary: 'turn a running server into an image: connect, find, audit, stop, stream, import',
    load: async () => (await import('./migrate.ts')).verb,
  },
  {
    name: 'report',
    summary: 'write what came of a run: a page for people, tables for programs',
    load: async () => (await import('./report.ts')).verb,
  },
  {
    name: 'runs ls',
    summary: 'list the runs that the store remembers, the newest first',
    load: async () => (await import('./runs-ls.ts')).verb,
  },
  {
    name: 'runs show',
    summary: 'show what came of each host of a run',
    load: async () => (await import('./runs-show.ts')).verb,
  },
  {
    name: 'runs rm',
    summary: 'forget runs, and free what was captured for them and is part of no image',
    load: async () => (await import('./runs-rm.ts')).verb,
  },
  {
    name: 'export',
    summary: 'copy an image into a file, a folder, a registry, podman or docker',
    load: async () => (await import('./export.ts')).verb,
  },
  {
    name: 'push',
    summary: 'copy an image into a registry',
    load: async () => (await import('./push.ts')).verb,
  },
  {
    name: 'images',
    summary: 'list the images of the store',
    load: async () => (await import('./images.ts')).verb,
  },
  {
    name: 'image inspect',
    summary: 'show what an image says of itself, as podman inspect does',
    load: async () => (await import('./image-inspect.ts')).verb,
  },
  {
    name: 'image rm',
    summary: 'remove images and the layers that only they have',
    load: async () => (await import('./image-rm.ts')).verb,
  },
  {
    name: 'image adapt',
    summary: 'add or renew the layer by which a captured system boots in a container',
    load: async () => (await import('./image-adapt.ts')).verb,
  },
  {
    name: 'image diff',
    summary: 'show what differs between two images, path by path',
    load: async () => (await import('./image-diff.ts')).verb,
  },
  {
    name: 'image receipt',
    summary: 'show what became of every path of the source, and check it against the layers',
    load: async () => (await import('./image-receipt.ts')).verb,
  },
  {
    name: 'image validate',
    summary: 'check an image against the specification, and list every fault',
    load: async () => (await import('./image-validate.ts')).verb,
  },
  {
    name: 'prune',
    summary: 'remove what nothing in the store needs any more: unpacked layers, blobs, what the dead left',
    load: async () => (await import('./prune.ts')).verb,
  },
  {
    name: 'profiles ls',
    summary: 'list the shipped profiles',
    load: async () => (await import('./profiles-ls.ts')).verb,
  },
  {
    name: 'profiles show',
    summary: 'print a profile, to read or to start an own one from',
    load: async () => (await import('./profiles-show.ts')).verb,
  },
  {
    name: 'profiles test',
    summary: 'stop and start applications as a migration would, and check them; nothing is captured',
    load: async () => (await import('./profiles-test.ts')).verb,
  },
  {
    name: 'profiles check',
    summary: 'check profile files and name every mistake with line and column',
    load: async () => (await import('./profiles-check.ts')).verb,
  },
  {
    name: 'inventory ls',
    summary: 'list the hosts of an inventory, and how each would be reached',
    load: async () => (await import('./inventory-ls.ts')).verb,
  },
  {
    name: 'inventory check',
    summary: 'check an inventory, its profiles and tags, and name every mistake with line and column',
    load: async () => (await import('./inventory-check.ts')).verb,
  },
  {
    name: 'inventory graph',
    summary: 'draw the groups of an inventory, as ansible-inventory --graph does',
    load: async () => (await import('./inventory-graph.ts')).verb,
  },
  {
    name: 'run',
    summary: 'run an image as a container',
    starts: true,
    load: async () => (await import('./run.ts')).verb,
  },
  {
    name: 'create',
    summary: 'make a container of an image, and do not start it',
    load: async () => (await import('./create.ts')).verb,
  },
  {
    name: 'start',
    summary: 'start containers that were created, or that ended',
    starts: true,
    load: async () => (await import('./start.ts')).verb,
  },
  {
    name: 'exec',
    summary: 'run a command in a running container',
    load: async () => (await import('./exec.ts')).verb,
  },
  {
    name: 'attach',
    summary: 'see what a running container says, and type to it',
    load: async () => (await import('./attach.ts')).verb,
  },
  {
    name: 'ps',
    summary: 'list containers',
    load: async () => (await import('./ps.ts')).verb,
  },
  {
    name: 'top',
    summary: 'show the processes of a container',
    load: async () => (await import('./top.ts')).verb,
  },
  {
    name: 'stats',
    summary: 'show what containers take of the machine',
    load: async () => (await import('./stats.ts')).verb,
  },
  {
    name: 'container inspect',
    summary: 'show containers as JSON, as podman inspect does',
    load: async () => (await import('./container-inspect.ts')).verb,
  },
  {
    name: 'cp',
    summary: 'copy files into a container or out of it',
    load: async () => (await import('./cp.ts')).verb,
  },
  {
    name: 'logs',
    summary: 'print what a container said',
    load: async () => (await import('./logs.ts')).verb,
  },
  {
    name: 'stop',
    summary: 'end containers',
    load: async () => (await import('./stop.ts')).verb,
  },
  {
    name: 'kill',
    summary: 'send a signal to containers',
    load: async () => (await import('./kill.ts')).verb,
  },
  {
    name: 'restart',
    summary: 'stop containers and start them again',
    load: async () => (await import('./restart.ts')).verb,
  },
  {
    name: 'wait',
    summary: 'wait until containers have ended',
    load: async () => (await import('./wait.ts')).verb,
  },
  {
    name: 'rm',
    summary: 'remove containers and all that is left of them',
    load: async () => (await import('./rm.ts')).verb,
  },
  {
    name: 'doctor',
    summary: 'show what this machine can run, what is missing and how to install it, and what crashes left',
    load: async () => (await import('./doctor.ts')).verb,
  },
  {
    name: 'port',
    summary: 'show where the published ports of a container are reached',
    load: async () => (await import('./port.ts')).verb,
  },
  {
    name: 'release',
    summary: 'end the quarantine of a container',
    load: async () => (await import('./release.ts')).verb,
  },
  {
    name: 'network create',
    summary: 'make a network for containers',
    load: async () => (await import('./network-create.ts')).verb,
  },
  {
    name: 'network ls',
    summary: 'list networks',
    load: async () => (await import('./network-ls.ts')).verb,
  },
  {
    name: 'network inspect',
    summary: 'show networks as JSON, as podman network inspect does',
    load: async () => (await import('./network-inspect.ts')).verb,
  },
  {
    name: 'network rm',
    summary: 'remove networks',
    load: async () => (await import('./network-rm.ts')).verb,
  },
  {
    name: 'volume ls',
    summary: 'list volumes',
    load: async () => (await import('./volume-ls.ts')).verb,
  },
  {
    name: 'volume create',
    summary: 'make an empty volume',
    load: async () => (await import('./volume-create.ts')).verb,
  },
  {
    name: 'volume inspect',
    summary: 'show where volumes lie',
    load: async () => (await import('./volume-inspect.ts')).verb,
  },
  {
    name: 'volume rm',
    summary: 'remove volumes and their content',
    load: async () => (await import('./volume-rm.ts')).verb,
  },
  {
    name: 'volume prune',
    summary: 'remove the volumes that no container uses',
    load: async () => (await import('./volume-prune.ts')).verb,
  },
  {
    name: '__monitor',
    summary: 'look after a container (internal)',
    hidden: true,
    load: async () => (await import('./monitor.ts')).verb,
  },
  {
    name: '__unpack',
    summary: 'unpack a layer (internal)',
    hidden: true,
    load: async () => (await import('./unpack.ts')).verb,
  },
  {
    name: '__probe',
    summary: 'try the engine of p2c (internal)',
    hidden: true,
    load: async () => (await import('./probe.ts')).verb,
  },
];
