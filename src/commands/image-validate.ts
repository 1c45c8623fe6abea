/** `p2c image validate`: the oracle. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import type { Verdict } from '../oci/validation/examination.ts';
import { validateImage, validateLayout } from '../oci/validation/layout.ts';
import { jsonText, printable } from '../printable.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'image validate',
  usage: '[options] IMAGE... | --all',
  summary: 'check an image against the specification, and list every fault',
  examples: [
    ['p2c image validate old:latest', 'layout, manifest, config, history, digests and every entry of every layer'],
    ['p2c image validate --all', 'the whole store'],
    ['p2c image validate --json old', 'as JSON'],
  ],
  options: (parser) =>
    parser
      .option('all', { alias: 'a', type: 'boolean', default: false, describe: 'check every image of the store' })
      .option('json', { type: 'boolean', default: false, describe: 'print a JSON array' }),
  async run({ all, json }, words) {
    if (all === words.length > 0) {
      const what = all ? 'images are named beside --all' : 'no image is named';
      throw usageError(what, { code: 'usage', hint: "name images ('p2c images' lists them), or give --all" });
    }
    const root = storeRoot();
    const judged: { readonly name: string; readonly verdict: Verdict }[] = [];
    if (all) judged.push({ name: root, verdict: await validateLayout(root) });
    for (const name of words) judged.push({ name, verdict: await validateImage(root, name) });
    if (json) process.stdout.write(`${jsonText(judged.map(record))}\n`);
    else for (const { name, verdict } of judged) process.stdout.write(worded(name, verdict));
    return judged.every(({ verdict }) => verdict.total === 0) ? ExitCode.done : ExitCode.differences;
  },
});

function record({ name, verdict }: { readonly name: string; readonly verdict: Verdict }): object {
  const { images, layers, entries, bytes, faults, total } = verdict;
  return { name, valid: total === 0, images, layers, entries, bytes, total, faults };
}

function worded(name: string, { images, layers, entries, bytes, faults, total }: Verdict): string {
  const lines = faults.map(({ code, where, message }) => `${code}  ${where}: ${message}`);
  if (total > faults.length) lines.push(`and ${(total - faults.length).toLocaleString('en-US')} more`);
  const seen = [
    ...(images === 1 ? [] : [formatCount(images, 'image')]),
    formatCount(layers, 'layer'),
    formatCount(entries, 'entry', 'entries'),
    formatBytes(bytes),
  ].join(', ');
  lines.push(`${name}: ${total === 0 ? 'valid' : formatCount(total, 'fault')} (${seen})`);
  return lines.map((line) => `${printable(line)}\n`).join('');
}
