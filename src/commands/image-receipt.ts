/** `p2c image receipt`: what became of every path of the source. */
import { ExitCode, usageError } from '../errors.ts';
import { parsePattern } from '../listing/pattern.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { jsonText, printable, printableJson, printablePath } from '../printable.ts';
import { checkReceipt, type ReceiptCheck } from '../report/receipt/check.ts';
import { encodeLine, type ReceiptLine, VERDICTS, type Verdict } from '../report/receipt/form.ts';
import { openReceipt } from '../report/receipt/read.ts';
import { describeSummary, type ReceiptSummary, summarise } from '../report/receipt/summary.ts';
import { formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { noteDamagedArtifacts } from './damaged-note.ts';
import { drained } from './print-pieces.ts';
import { terminalWidth } from './show.ts';

interface Options {
  readonly path: string | undefined;
  readonly verdict: readonly Verdict[] | undefined;
  readonly ndjson: boolean;
  readonly check: boolean;
  readonly json: boolean;
}

export const verb = defineVerb({
  name: 'image receipt',
  usage: '[options] IMAGE',
  summary: 'show what became of every path of the source, and check it against the layers',
  examples: [
    ['p2c image receipt old:latest', 'how many paths were captured, left out by which rule, unreadable'],
    ['p2c image receipt old --verdict left-out', 'list the paths that rules left out'],
    ["p2c image receipt old --path '/etc/**'", 'list the paths below /etc'],
    ['p2c image receipt old --ndjson', 'all of it, a line of JSON for each path'],
    ['p2c image receipt old --check', 'hold it against the layers, with code of its own'],
  ],
  options: (parser) =>
    parser
      .option('path', { type: 'string', requiresArg: true, describe: 'list the paths that this pattern matches' })
      .option('verdict', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        choices: VERDICTS,
        describe: 'list the paths of this verdict (repeatable)',
      })
      .option('ndjson', { type: 'boolean', default: false, describe: 'print a line of JSON for each path' })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'hold every blob against its digest, find out anew from the layers what is in them, and compare',
      })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'print one JSON object: the summary, or the check',
      }),
  async run(options, words) {
    const [name] = words;
    if (name === undefined || words.length > 1) {
      throw usageError(words.length > 1 ? `one image is expected, not ${words.length}` : 'no image is named', {
        code: 'usage',
        hint: "'p2c images' lists them",
      });
    }
    const chosen = chooser(options);
    await using store = await ImageStore.open(storeRoot());
    const image = await store.find(name);
    await using _ = await store.read(image);
    await noteDamagedArtifacts(store);
    if (options.check) return printCheck(name, await checkReceipt(store, image), options.json);
    const receipt = await openReceipt(store, image);
    if (chosen === undefined) {
      const summary = await summarise(receipt);
      print(options.json ? jsonText(summary) : describeSummary(summary, terminalWidth()));
      return exitCodeOf(summary);
    }
    let told = 0;
    for await (const batch of receipt.batches) {
      const lines = batch.filter(chosen).map(options.ndjson ? ndjson : worded);
      told += lines.length;
      if (lines.length > 0 && !process.stdout.write(`${lines.join('\n')}\n`)) await drained();
    }
    if (told === 0) process.stderr.write(`the receipt of ${printable(name)} has no such path\n`);
    return ExitCode.done;
  },
});

/** Which lines are to be listed; undefined where a summary is asked for. */
function chooser({ path, verdict, ndjson, check, json }: Options): ((line: ReceiptLine) => boolean) | undefined {
  const listing = path !== undefined || verdict !== undefined || ndjson;
  if (listing && (check || json)) {
    throw usageError(`--${check ? 'check' : 'json'} does not go together with --path, --verdict and --ndjson`, {
      code: 'usage',
      hint: '--ndjson prints the lines as JSON',
    });
  }
  if (!listing) return undefined;
  const pattern = path === undefined ? undefined : parsePattern(path);
  return (line) =>
    (pattern === undefined || pattern.matches(line)) && (verdict === undefined || verdict.includes(line.verdict));
}

/** As it is stored, but for what a terminal would obey. */
function ndjson(line: ReceiptLine): string {
  return printableJson(encodeLine(line));
}

function worded({ path, verdict, layer, volume, rule, reason, fixes }: ReceiptLine): string {
  const why = rule ?? reason ?? fixes?.join(', ');
  const of = volume === undefined ? '' : ` of the volume ${printable(volume)}`;
  const where = layer === undefined ? '' : ` in layer ${layer}${of}`;
  return `${verdict}${where}\t${printablePath(path)}${why === undefined ? '' : `\t${printable(why)}`}`;
}

function printCheck(name: string, { paths, faults, total, ownLayer }: ReceiptCheck, json: boolean): ExitCode {
  if (json) print(jsonText({ paths, total, faults, ownLayer: ownLayer ?? null }));
  else {
    const more = total > faults.length ? [`and ${(total - faults.length).toLocaleString('en-US')} more`] : [];
    const own = `layer ${ownLayer} is p2c's own adaptation: its bytes are checked, its paths are not accounted for one by one`;
    const verdict = total === 0 ? 'the receipt holds' : formatCount(total, 'fault');
    print(
      [
        ...faults.map((fault) => printable(fault)),
        ...more,
        ...(ownLayer === undefined ? [] : [own]),
        `${printable(name)}: ${verdict} (${formatCount(paths, 'path')})`,
      ].join('\n'),
    );
  }
  return total === 0 ? ExitCode.done : ExitCode.differences;
}

function exitCodeOf({ blind }: ReceiptSummary): ExitCode {
  return blind > 0 ? ExitCode.blindSpots : ExitCode.done;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
