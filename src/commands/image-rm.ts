/** `p2c image rm`: takes names away, and the blobs that no image needs any more. */
import { ExitCode, P2cError, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { printable } from '../printable.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { containerRecords } from '../runtime/list.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'image rm',
  usage: '[options] IMAGE...',
  summary: 'remove images and the layers that only they have',
  examples: [
    ['p2c image rm old:latest', 'by name'],
    ['p2c image rm 57ef87ecdaca', 'by ID, with all its names'],
  ],
  options: (parser) =>
    parser.option('force', {
      alias: 'f',
      type: 'boolean',
      default: false,
      describe: 'also images that containers were made of; those keep what is unpacked',
    }),
  async run({ force }, words) {
    if (words.length === 0) throw usageError('no image is named', { code: 'usage', hint: "'p2c images' lists them" });
    const store = await ImageStore.open(storeRoot());
    // All are there, or nothing is removed.
    for (const name of words) await refuseUsed(store, name, force);
    for (const name of words) {
      // Again: the name before may have been the other one of the same image.
      await refuseUsed(store, name, force);
      const { untagged, removedBlobs, bytes } = await store.remove(name);
      for (const tag of untagged) process.stdout.write(`Untagged: ${printable(tag)}\n`);
      process.stderr.write(`removed ${formatCount(removedBlobs, 'blob')}, ${formatBytes(bytes)}\n`);
    }
    return ExitCode.done;
  },
});

async function refuseUsed(store: ImageStore, name: string, force: boolean): Promise<void> {
  const gone = await store.lostWith(name);
  if (gone === undefined || force) return;
  const used = (await containerRecords(store.root)).filter(({ imageDigest }) => imageDigest === gone);
  if (used.length === 0) return;
  const containers = used.map((container) => container.name);
  throw new P2cError(`'${name}' is in use by ${formatCount(used.length, 'container')}: ${containers.join(', ')}`, {
    code: 'image.in-use',
    hint: `remove them with 'p2c rm ${containers.join(' ')}', or the image alone with --force`,
  });
}
