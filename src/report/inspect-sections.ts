/** The parts of the page of `p2c inspect` that are lists. */
import { type Fact, valueOr } from '../source/inspection/fact.ts';
import type { Inspection, OwnedProcess } from '../source/inspection/inspection.ts';
import { table } from './table.ts';
import { formatBytes, formatCount } from './units.ts';

/** Rows of a list that a page shows; `--json` has them all. */
const ROWS = 25;

export function describeVolumes({ volumes }: Inspection, width: number): string[] {
  const shown = volumes.filter(({ verdict }) => verdict !== 'memory');
  const rows = shown.map(({ mountPoint, type, device, layers, size, writeRate, verdict }) => [
    mountPoint,
    type,
    'value' in size ? `${formatBytes(size.value.used)} of ${formatBytes(size.value.bytes)}` : '-',
    'value' in writeRate ? `${formatBytes(writeRate.value)}/s` : '-',
    [verdict === 'included' ? '' : `${verdict},`, device, ...layers].join(' ').trim(),
  ]);
  const memory = volumes.length - shown.length;
  return [
    'Filesystems',
    ...table(rows, ['MOUNT POINT', 'TYPE', 'IN USE', 'WRITTEN', 'ON'], width).split('\n'),
    ...(memory === 0 ? [] : [`and ${formatCount(memory, 'filesystem')} in memory`]),
  ];
}

export function describeListeners({ listeners }: Inspection, width: number): string[] {
  return listOf('Listening', listeners, (found) => {
    const rows = found.map(({ protocol, address, port, owners }) => [
      `${port}/${protocol}`,
      address,
      [...new Set(owners.map(({ name }) => name))].join(', ') || '-',
      owners
        .slice(0, 3)
        .map(({ pid }) => pid)
        .join(', '),
    ]);
    return tableOf(rows, ['PORT', 'ADDRESS', 'PROGRAM', 'PROCESS'], width);
  });
}

/** One line for all processes of one program. */
export function describeProcesses({ processes }: Inspection, width: number): string[] {
  return listOf('Processes', processes, (found) => {
    const programs = new Map<string, OwnedProcess[]>();
    for (const process of found) {
      const key = process.exe ?? process.name;
      programs.set(key, [...(programs.get(key) ?? []), process]);
    }
    const rows = [...programs.values()].map((same) => {
      const [first] = same;
      const memory = same.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
      return [
        first?.name ?? '',
        String(same.length),
        formatBytes(memory),
        first?.package ?? '-',
        first?.exe ?? 'not known',
      ];
    });
    return tableOf(rows, ['NAME', 'HOW MANY', 'MEMORY', 'PACKAGE', 'PROGRAM'], width);
  });
}

export function describeServices({ services }: Inspection): string[] {
  return listOf('Services', services, (found) => {
    const names = (which: (service: (typeof found)[number]) => boolean): string =>
      found
        .filter(which)
        .map(({ name }) => name)
        .join(' ') || 'none';
    const managers = [...new Set(found.map(({ manager }) => manager))].join(', ');
    return [
      `  by ${managers}`,
      `  start at boot: ${names(({ atBoot }) => atBoot === true)}`,
      `  run: ${names(({ running }) => running === true)}`,
    ];
  });
}

export function describeSchedule({ schedule }: Inspection, width: number): string[] {
  return listOf('By the clock', schedule, (found) =>
    tableOf(
      found.map(({ when, what, from }) => [when, what, from]),
      ['WHEN', 'WHAT', 'FROM'],
      width,
    ),
  );
}

export function describeUsers({ users }: Inspection): string[] {
  if ('unknown' in users) return [`Users: not known: ${users.unknown}`];
  const { accounts, ofNote, largestId, directories } = users.value;
  const people = ofNote.filter(({ reason }) => reason !== 'runs processes').map(({ name, uid }) => `${name} (${uid})`);
  const busy = ofNote.filter(({ reason }) => reason === 'runs processes').map(({ name }) => name);
  return [
    `Users: ${formatCount(accounts, 'account')}, largest id ${largestId}`,
    `  may log in: ${people.join(', ') || 'nobody'}`,
    `  run processes: ${busy.join(', ') || 'root alone'}`,
    ...(directories.length === 0 ? [] : [`  more come from ${directories.join(', ')}`]),
  ];
}

export function describeNetwork({ network }: Inspection): string[] {
  if ('unknown' in network) return [`Network: not known: ${network.unknown}`];
  const { addresses, routes, nameServers } = network.value;
  const own = addresses.filter(({ interface: name }) => name !== 'lo');
  return [
    'Network',
    `  addresses: ${own.map(({ interface: name, address }) => `${address} (${name})`).join(', ') || 'none'}`,
    `  routes: ${
      routes
        .map(({ to, via, interface: name }) => `${to} ${via === undefined ? `on ${name}` : `via ${via}`}`)
        .slice(0, ROWS)
        .join(', ') || 'none'
    }`,
    `  name servers: ${nameServers.join(', ') || 'none'}`,
  ];
}

/** Databases, and what is open. */
export function describeData({ dataDirectories, openFiles }: Inspection, width: number): string[] {
  const rows = valueOr(dataDirectories, []).map(({ application, path, from }) => [application, path, from]);
  const directories =
    rows.length === 0
      ? ['  no database was recognised']
      : table(rows, ['DATA OF', 'PATH', 'AS SAID BY'], width).split('\n');
  if ('unknown' in openFiles) return ['Data', ...directories, `  open files: not known: ${openFiles.unknown}`];
  const { written, deleted, devices } = openFiles.value;
  return [
    'Data',
    ...directories,
    `  ${formatCount(written.length, 'file')} open for writing, ${formatCount(deleted.length, 'deleted file')} still open, ${formatCount(devices.length, 'raw device')} in use`,
    ...(openFiles.note === undefined ? [] : [`  (${openFiles.note})`]),
  ];
}

function listOf<Item>(title: string, fact: Fact<readonly Item[]>, say: (found: readonly Item[]) => string[]): string[] {
  if ('unknown' in fact) return [`${title}: not known: ${fact.unknown}`];
  if (fact.value.length === 0) return [`${title}: none${fact.note === undefined ? '' : ` (${fact.note})`}`];
  return [title, ...say(fact.value), ...(fact.note === undefined ? [] : [`  (${fact.note})`])];
}

function tableOf(rows: readonly (readonly string[])[], headings: readonly string[], width: number): string[] {
  const more = rows.length - ROWS;
  return [
    ...table(rows.slice(0, ROWS), headings, width).split('\n'),
    ...(more > 0 ? [`and ${more} more (see --json)`] : []),
  ];
}
