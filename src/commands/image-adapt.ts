/** `p2c image adapt`: adds or renews the layer by which a captured system boots in a container. */
import { parseRecipeNames } from '../adapt/adapt.ts';
import { adaptImage } from '../adapt/image.ts';
import { RECIPES } from '../adapt/recipes/index.ts';
import { ExitCode, usageError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { jsonText, printable } from '../printable.ts';
import { adaptationReport, describeAdaptation } from '../report/adaptation-report.ts';
import { table } from '../report/table.ts';
import { defineVerb } from './command.ts';
import { noteDamagedArtifacts } from './damaged-note.ts';
import { terminalWidth } from './show.ts';

export const verb = defineVerb({
  name: 'image adapt',
  usage: '[options] IMAGE',
  summary: 'add or renew the layer by which a captured system boots in a container',
  examples: [
    ['p2c image adapt old:latest', 'in place of the adaptation that it has'],
    ['p2c image adapt old --tag old:same-keys --without ssh-host-keys', 'under another name, with its SSH host keys'],
    ['p2c image adapt --list', 'the recipes'],
  ],
  options: (parser) =>
    parser
      .option('tag', {
        alias: 't',
        type: 'string',
        requiresArg: true,
        describe: 'name of the adapted image: NAME[:TAG]',
      })
      .option('without', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        describe: 'leave out a recipe (repeatable)',
      })
      .option('list', { type: 'boolean', default: false, describe: 'list the recipes' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run({ tag, without, list, json }, words) {
    if (list && words.length > 0) throw usageError("'image adapt --list' takes no words", { code: 'usage' });
    if (list) return listRecipes(json);
    const [name] = words;
    if (name === undefined || words.length > 1) {
      throw usageError(words.length > 1 ? `one image is expected, not ${words.length}` : 'no image is named', {
        code: 'usage',
        hint: "'p2c images' lists them",
      });
    }
    const left = parseRecipeNames(without ?? []);
    const given = tag === undefined ? undefined : parseReference(tag);
    await using store = await ImageStore.open(storeRoot());
    const image = await store.find(name);
    // As it stands in the index, whatever its form: it may be umoci that gave it.
    const reference = given ?? (image.reference === undefined ? undefined : { name: image.reference });
    if (reference === undefined) {
      throw usageError(`${name} has no name that could stay`, { code: 'usage', hint: 'give one with --tag NAME:TAG' });
    }
    await noteDamagedArtifacts(store);
    const adapted = await adaptImage(store, image, reference, { without: left, when: new Date() });
    const report = adaptationReport(adapted.adaptation);
    const text = json
      ? jsonText({ image: reference.name, digest: adapted.image.digest, adaptation: report })
      : [`Image       ${reference.name}`, `Digest      ${adapted.image.digest}`, ...describeAdaptation(report)]
          .map((line) => printable(line))
          .join('\n');
    process.stdout.write(`${text}\n`);
    return ExitCode.done;
  },
});

function listRecipes(json: boolean): ExitCode {
  const recipes = RECIPES.map(({ name, summary }) => ({ name, summary }));
  const rows = recipes.map(({ name, summary }) => [name, summary]);
  process.stdout.write(`${json ? jsonText(recipes) : table(rows, ['RECIPE', 'WHAT IT DOES'], terminalWidth())}\n`);
  return ExitCode.done;
}
