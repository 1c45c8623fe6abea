/** What the server has of its kernel that a container shares with its host: modules, devices, huge pages. */
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { Finding, Situation } from './verdict.ts';

export function kernelFindings({ inspection }: Situation): Finding[] {
  return [...moduleFindings(inspection), ...deviceFindings(inspection), ...hugePageFindings(inspection)];
}

function moduleFindings({ modules }: Inspection): Finding[] {
  if ('unknown' in modules)
    return [{ id: 'modules', level: 'unknown', message: `its kernel modules are not known: ${modules.unknown}` }];
  const byMeaning = new Map<string, string[]>();
  for (const { name, meaning } of modules.value.ofNote)
    byMeaning.set(meaning, [...(byMeaning.get(meaning) ?? []), name]);
  return [...byMeaning].map(([meaning, names]) => ({
    id: 'modules',
    level: 'look',
    message: `kernel module${names.length > 1 ? 's' : ''} ${names.join(', ')}: ${meaning}`,
  }));
}

function deviceFindings({ openFiles }: Inspection): Finding[] {
  if ('unknown' in openFiles)
    return [{ id: 'raw-devices', level: 'unknown', message: `open devices are not known: ${openFiles.unknown}` }];
  return openFiles.value.devices.map(({ path, pids }) => ({
    id: 'raw-devices',
    level: 'flag',
    message: `${path} is used past the filesystems (process ${pids.join(', ')}): its content is in no file, copy it yourself and hand the device in`,
    flag: `run --device ${path}`,
  }));
}

function hugePageFindings({ resources }: Inspection): Finding[] {
  const pages = valueOr(resources, undefined)?.hugePages ?? 0;
  if (pages === 0) return [];
  return [
    {
      id: 'huge-pages',
      level: 'look',
      message: `it reserves ${pages} huge pages: reserve them on the host (sysctl vm.nr_hugepages)`,
    },
  ];
}
