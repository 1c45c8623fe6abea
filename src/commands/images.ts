/** `p2c images`: what is in the store. */
import { ExitCode, usageError } from '../errors.ts';
import { hexOf } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { partsOfName } from '../oci/reference.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { jsonText } from '../printable.ts';
import { table } from '../report/table.ts';
import { formatAge, formatBytes } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { terminalWidth } from './show.ts';

const SHORT_ID = 12;

export const verb = defineVerb({
  name: 'images',
  usage: '[options]',
  summary: 'list the images of the store',
  examples: [
    ['p2c images', 'all images, the newest first'],
    ['p2c images -q', 'their IDs alone'],
    ['p2c images --json', 'as JSON'],
  ],
  options: (parser) =>
    parser
      .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'print IDs alone' })
      .option('trunc', { type: 'boolean', default: true, describe: 'shorten IDs (--no-trunc: do not)' })
      .option('json', { type: 'boolean', default: false, describe: 'print a JSON array' }),
  async run({ quiet, trunc, json }, words) {
    if (words.length > 0)
      throw usageError(`'${words[0]}' is not expected`, { code: 'usage', hint: "see 'p2c images --help'" });
    const images = await storedImages();
    const idOf = (image: Image): string => hexOf(image.configDigest).slice(0, trunc ? SHORT_ID : undefined);
    if (json) process.stdout.write(`${jsonText(images.map(record))}\n`);
    else if (quiet) process.stdout.write(images.map((image) => `${idOf(image)}\n`).join(''));
    else {
      const rows = images.map((image) => [...nameOf(image), idOf(image), createdOf(image), formatBytes(image.size)]);
      process.stdout.write(`${table(rows, ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'], terminalWidth())}\n`);
    }
    return ExitCode.done;
  },
});

/** A store that nobody made yet is an empty one. */
async function storedImages(): Promise<Image[]> {
  const store = await ImageStore.open(storeRoot()).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'store.missing') return undefined;
    throw error;
  });
  return store === undefined ? [] : store.list();
}

function record(image: Image): object {
  return {
    Id: hexOf(image.configDigest),
    Names: image.reference === undefined ? [] : [image.reference],
    Digest: image.digest,
    Created: image.config.created ?? null,
    Size: image.size,
    Labels: image.config.config?.Labels ?? {},
  };
}

function nameOf({ reference }: Image): [string, string] {
  const { repository, tag } = reference === undefined ? {} : partsOfName(reference);
  return [repository ?? '<none>', tag ?? '<none>'];
}

function createdOf({ config }: Image): string {
  return config.created === undefined ? '' : formatAge(Date.now() - Date.parse(config.created));
}
