/** `p2c image rm`: takes names away, and the blobs that no image needs any more. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'image rm',
  usage: 'IMAGE...',
  summary: 'remove images and the layers that only they have',
  examples: [
    ['p2c image rm old:latest', 'by name'],
    ['p2c image rm 57ef87ecdaca', 'by ID, with all its names'],
  ],
  options: (parser) => parser,
  async run(_options, words) {
    if (words.length === 0) throw usageError('no image is named', { code: 'usage', hint: "'p2c images' lists them" });
    const store = await ImageStore.open(storeRoot());
    // All are there, or nothing is removed.
    for (const name of words) await store.find(name);
    for (const name of words) {
      const { untagged, removedBlobs, bytes } = await store.remove(name);
      for (const tag of untagged) process.stdout.write(`Untagged: ${tag}\n`);
      process.stderr.write(`removed ${formatCount(removedBlobs, 'blob')}, ${formatBytes(bytes)}\n`);
    }
    return ExitCode.done;
  },
});
