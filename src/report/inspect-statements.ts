/** The facts of a server as plain statements under headings: what two inspections are compared by. */
import { type Fact, valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';

/** Heading → statements. None holds a number that changes by itself: a pid, a size, a time. */
export type Statements = Readonly<Record<string, readonly string[]>>;

export function statementsOf(facts: Inspection): Statements {
  return {
    System: systemStatements(facts),
    Mounts: facts.volumes.map(({ mountPoint, type, device }) => `${mountPoint} (${type}, ${device})`),
    Listeners: listed(facts.listeners, ({ protocol, address, port, owners }) => {
      const names = [...new Set(owners.map(({ name }) => name))];
      return `${protocol} ${address} port ${port}${names.length === 0 ? '' : `: ${names.join(', ')}`}`;
    }),
    Processes: listed(facts.processes, ({ name, exe, package: owner }) => {
      return `${name}${exe === undefined ? '' : ` (${exe}${owner === null ? '' : `, ${owner}`})`}`;
    }),
    Services: listed(facts.services, ({ name, manager, atBoot, running }) => {
      const boot = atBoot === null ? [] : [atBoot ? 'starts at boot' : 'does not start at boot'];
      const runs = running === null ? [] : [running ? 'runs' : 'does not run'];
      return [`${name} (${manager})`, ...boot, ...runs].join(', ');
    }),
    Schedule: listed(facts.schedule, ({ from, when, what }) => `${from}: ${when} ${what}`),
    Users: valueOr(facts.users, { ofNote: [] }).ofNote.map(
      ({ name, uid, shell, reason }) => `${name} (${uid}, ${shell}): ${reason}`,
    ),
    Packages: valueOr(facts.packages, { installed: [] }).installed.map(({ name, version }) => `${name} ${version}`),
    Network: networkStatements(facts),
    'Kernel modules': valueOr(facts.modules, { ofNote: [] }).ofNote.map(({ name }) => name),
    'Data directories': listed(facts.dataDirectories, ({ application, path }) => `${application}: ${path}`),
    Licences: listed(facts.licences, ({ found }) => found),
    Containers: valueOr(facts.containers, { running: [] }).running,
  };
}

function listed<Item>(fact: Fact<readonly Item[]>, say: (item: Item) => string): string[] {
  return 'value' in fact ? [...new Set(fact.value.map(say))] : [`not known: ${fact.unknown}`];
}

function systemStatements(facts: Inspection): string[] {
  const init = valueOr(facts.init, undefined);
  const libc = valueOr(facts.libc, undefined);
  const runlevel = valueOr(facts.runlevel, undefined);
  const guards = valueOr(facts.guards, undefined);
  return [
    `host name ${facts.hostname}`,
    `distribution ${facts.release.name}`,
    `kernel ${facts.kernel} on ${facts.machine}`,
    `C library ${libc === undefined ? 'not known' : `${libc.kind} ${libc.version}`}`,
    `init ${init === undefined ? 'not known' : `${init.kind} ${init.version}`}`.trim(),
    `boots into ${runlevel?.boot || 'what is not known'}`,
    `time zone ${valueOr(facts.timeZone, 'not known')}`,
    `locale ${valueOr(facts.locale, 'not set')}`,
    `SELinux ${guards?.selinux ?? 'not known'}`,
  ];
}

function networkStatements({ network }: Inspection): string[] {
  if ('unknown' in network) return [`not known: ${network.unknown}`];
  const { addresses, routes, nameServers } = network.value;
  return [
    ...addresses.map(({ interface: name, address }) => `${address} on ${name}`),
    ...routes.map(({ to, via, interface: name }) => `route ${to}${via === undefined ? '' : ` via ${via}`} on ${name}`),
    ...nameServers.map((address) => `name server ${address}`),
  ];
}
