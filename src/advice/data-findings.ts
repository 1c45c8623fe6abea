/** What of the server's data a capture takes, what it cannot, and whether there is room for it. */
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { Finding, Situation } from './verdict.ts';

export function dataFindings({ inspection, machine }: Situation): Finding[] {
  return [spaceFinding(inspection, machine.store), ...networkFindings(inspection), ...deletedFindings(inspection)];
}

function spaceFinding({ volumes }: Inspection, { folder, freeBytes }: Situation['machine']['store']): Finding {
  const id = 'space';
  // Each subvolume of a btrfs has the size of all.
  const disks = new Map(volumes.filter(({ verdict }) => verdict === 'included').map((each) => [each.device, each]));
  const captured = [...disks.values()];
  const sizes = captured.flatMap(({ size }) => ('value' in size ? [size.value.used] : []));
  const used = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const words = `its filesystems hold ${gigabytes(used)}, and ${gigabytes(freeBytes)} are free at ${folder}`;
  if (sizes.length < captured.length)
    return { id, level: 'unknown', message: `${words}; some filesystems do not tell their size` };
  if (used < freeBytes) return { id, level: 'works', message: words };
  return {
    id,
    level: 'flag',
    message: `${words}: leave something out, or put the store elsewhere (P2C_ROOT)`,
    flag: "migrate --exclude '/PATH/**'",
  };
}

function networkFindings({ volumes }: Inspection): Finding[] {
  return volumes
    .filter(({ verdict }) => verdict === 'network')
    .map(({ mountPoint, type, device }) => ({
      id: 'network-filesystem',
      level: 'flag',
      message: `${mountPoint} is ${type} from ${device} and is not captured: mount it on the host and hand it in`,
      flag: `run -v ${mountPoint}:${mountPoint}`,
    }));
}

function deletedFindings({ openFiles }: Inspection): Finding[] {
  const deleted = valueOr(openFiles, { deleted: [] }).deleted.filter(
    ({ path }) => !/^\/(?:tmp|var\/tmp|run|dev)\//.test(path),
  );
  if (deleted.length === 0) return [];
  const some = deleted
    .slice(0, 3)
    .map(({ path }) => path)
    .join(', ');
  const message = `${deleted.length} files that processes still hold open have no name any more, and no copy can have them: ${some}`;
  return [{ id: 'deleted-files', level: 'look', message }];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
