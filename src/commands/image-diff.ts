/** `p2c image diff`: what differs between two images, by path. */
import { ExitCode, P2cError, usageError } from '../errors.ts';
import type { Image } from '../oci/image.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { volumesOf } from '../oci/volume-artifact.ts';
import { jsonText, printable, printablePath } from '../printable.ts';
import { type Difference, differences } from '../report/image-difference.ts';
import { asText } from '../report/receipt/form.ts';
import { arePlain, TreePaths, treesOf } from '../report/tree-paths.ts';
import { formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { noteDamagedArtifacts } from './damaged-note.ts';

export const verb = defineVerb({
  name: 'image diff',
  usage: '[options] IMAGE IMAGE',
  summary: 'show what differs between two images, path by path',
  examples: [
    ['p2c image diff old:friday old:sunday', 'what came, went or changed between two captures'],
    ['p2c image diff --json old:friday old:sunday', 'as a line of JSON for each path'],
  ],
  options: (parser) =>
    parser.option('json', { type: 'boolean', default: false, describe: 'print a line of JSON for each path' }),
  async run({ json }, words) {
    const [first, second] = words;
    if (first === undefined || second === undefined || words.length > 2) {
      throw usageError(`two images are expected, not ${words.length}`, {
        code: 'usage',
        hint: "'p2c images' lists them",
      });
    }
    await using store = await ImageStore.open(storeRoot());
    await noteDamagedArtifacts(store);
    const images = [await store.find(first), await store.find(second)] as const;
    await using _a = await store.read(images[0]);
    await using _b = await store.read(images[1]);
    await using a = await pathsOf(store, images[0]);
    await using b = await pathsOf(store, images[1]);
    let count = 0;
    for await (const difference of differences(a, b)) {
      count += 1;
      const line = json ? jsonText(record(difference)) : worded(difference);
      if (!process.stdout.write(`${line}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
    if (!json)
      process.stdout.write(
        count === 0 ? 'nothing differs\n' : `${formatCount(count, 'path differs', 'paths differ')}\n`,
      );
    return count === 0 ? ExitCode.done : ExitCode.differences;
  },
});

/** @throws P2cError `image.foreign` for layers that are not as p2c writes them. */
async function pathsOf(store: ImageStore, image: Image): Promise<TreePaths> {
  const name = image.reference ?? image.digest;
  const foreign = (what: string): P2cError =>
    new P2cError(`${name} cannot be compared: ${what}`, {
      code: 'image.foreign',
      hint: 'images that p2c made can; unpack any other with umoci, and compare the trees',
    });
  const trees = treesOf(image.manifest.layers, await volumesOf(store, image));
  if (!arePlain(trees)) throw foreign('its layers are compressed');
  return TreePaths.open(store, trees, (fault) => {
    throw foreign(fault);
  });
}

function worded({ path, kind, what }: Difference): string {
  return `${kind}\t${printablePath(path)}${what.length === 0 ? '' : `\t${printable(what.join(', '))}`}`;
}

function record({ path, kind, what }: Difference): object {
  return { ...asText('path', path), kind, what };
}
