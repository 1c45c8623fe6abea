/** One filesystem of a server, as the table of mounts has it. */
import { byteStringFromText } from '../../src/printable.ts';
import type { Filesystem } from '../../src/source/filesystems.ts';

export function filesystem(mountPoint: string, verdict: Filesystem['verdict'] = 'included'): Filesystem {
  return {
    id: -1,
    parent: -1,
    device: '8:1',
    root: byteStringFromText('/'),
    mountPoint: byteStringFromText(mountPoint),
    type: 'ext4',
    source: byteStringFromText('/dev/sda1'),
    verdict,
    readOnly: false,
    reason: 'test',
  };
}
