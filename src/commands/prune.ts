/** `p2c prune`: removes what nothing in the store needs any more. */
import { ExitCode, P2cError, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { jsonText, printable } from '../printable.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { type Pruned, prune } from '../runtime/prune.ts';
import { defineVerb } from './command.ts';
import { confirmed } from './confirm.ts';
import { noteDamaged } from './damaged-note.ts';

const NOTHING: Pruned = { snapshots: [], blobs: [], leftovers: [] };

export const verb = defineVerb({
  name: 'prune',
  usage: '[options]',
  summary: 'remove what nothing in the store needs any more; images, containers, volumes and runs stay',
  examples: [
    ['p2c prune', 'unpacked layers that no image and no container has, blobs without an image, what the dead left'],
    ['p2c prune -af', 'also unpacked layers that no container has, without a question'],
    ['p2c prune --dry-run', 'only say what would go'],
  ],
  options: (parser) =>
    parser
      .option('all', {
        alias: 'a',
        type: 'boolean',
        default: false,
        describe: 'unpacked layers of images without a container, too: they are unpacked again when needed',
      })
      .option('force', { alias: 'f', type: 'boolean', default: false, describe: 'do not ask' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'say what would be removed, and remove nothing' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run({ all, force, dryRun, json }, words) {
    if (words.length > 0) {
      throw usageError(`'${words[0]}' is not expected`, {
        code: 'usage',
        hint: "'p2c image rm' removes images, 'p2c rm' containers, 'p2c volume prune' volumes, 'p2c runs rm' runs",
      });
    }
    const what = `unpacked layers that no ${all ? '' : 'image and no '}container needs, blobs that no image needs`;
    if (!dryRun && !force && !(await confirmed(`This removes ${what}, and what dead processes left.`))) {
      return ExitCode.done;
    }
    const store = await existingStore();
    if (store !== undefined) await noteDamaged(store.root, true);
    const pruned = store === undefined ? NOTHING : await prune(store, { all, dryRun });
    process.stdout.write(json ? `${jsonText({ dryRun, ...pruned, bytes: bytesOf(pruned) })}\n` : page(pruned, dryRun));
    return ExitCode.done;
  },
});

/** A store that nobody made yet is an empty one. */
async function existingStore(): Promise<ImageStore | undefined> {
  try {
    return await ImageStore.open(storeRoot());
  } catch (error) {
    if (error instanceof P2cError && error.code === 'store.missing') return undefined;
    throw error;
  }
}

function page(pruned: Pruned, dryRun: boolean): string {
  const { snapshots, blobs, leftovers } = pruned;
  const lines = [
    ...snapshots.map(({ digest, bytes }) => `snapshot ${digest}  ${formatBytes(bytes)}`),
    ...blobs.map(({ digest, bytes }) => `blob ${digest}  ${formatBytes(bytes)}`),
    ...leftovers.map(({ path, bytes }) => `leftover ${printable(path)}  ${formatBytes(bytes)}`),
  ];
  const counts = [
    formatCount(snapshots.length, 'snapshot'),
    formatCount(blobs.length, 'blob'),
    formatCount(leftovers.length, 'leftover'),
  ].join(', ');
  return `${[...lines, `${dryRun ? 'would remove' : 'removed'} ${counts}: ${formatBytes(bytesOf(pruned))}`].join('\n')}\n`;
}

function bytesOf({ snapshots, blobs, leftovers }: Pruned): number {
  return [...snapshots, ...blobs, ...leftovers].reduce((sum, { bytes }) => sum + bytes, 0);
}
