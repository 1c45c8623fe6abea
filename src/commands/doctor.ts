/** `p2c doctor`: what this machine can run, what it lacks, and what crashes left on it. */
import { ExitCode, errorRecord, P2cError, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { describeDoctor, describeRemoved } from '../report/doctor-page.ts';
import { doctorReport, strayRecord } from '../report/doctor-report.ts';
import { examineMachine } from '../runtime/machine/machine.ts';
import { cleanStrays, findStrays } from '../runtime/strays/strays.ts';
import { defineVerb } from './command.ts';
import { noteDamaged } from './damaged-note.ts';
import { goesInside, runInside } from './inside.ts';
import { terminalWidth } from './show.ts';

export const verb = defineVerb({
  name: 'doctor',
  usage: '[options]',
  summary: 'show what this machine can run, what is missing and how to install it, and what crashes left',
  examples: [
    ['p2c doctor', 'look at this machine; exit code 1 where no container can run'],
    ['p2c doctor --json', 'the same, for a script'],
    ['p2c doctor --clean', 'remove what a crash left of this store: processes, mounts, cgroups, interfaces, files'],
  ],
  options: (parser) =>
    parser
      .option('clean', {
        type: 'boolean',
        default: false,
        describe: 'remove what killed processes left of containers that are no more; what lives is not touched',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run({ clean, json }, words) {
    if (words.length > 0) {
      throw usageError(`'${words[0]}' is not expected`, { code: 'usage', hint: "see 'p2c doctor --help'" });
    }
    const root = storeRoot();
    if (clean) {
      // What is left of containers may belong to subordinate ids.
      return goesInside('doctor --clean')
        ? runInside(['doctor', '--clean', ...(json ? ['--json'] : [])])
        : cleanUp(root, json);
    }
    const report = doctorReport(await examineMachine(root), await findStrays(root));
    process.stdout.write(`${json ? jsonText(report) : describeDoctor(report, terminalWidth())}\n`);
    return report.canRun ? ExitCode.done : ExitCode.failed;
  },
});

/** @throws P2cError `strays.stay` where one could not be removed; the others are, and told. */
async function cleanUp(root: string, json: boolean): Promise<number> {
  await noteDamaged(root);
  const { removed, failed } = await cleanStrays(root);
  const records = removed.map(strayRecord);
  if (json) {
    const stay = failed.map(({ stray, error }) => ({ ...strayRecord(stray), error: errorRecord(error) }));
    process.stdout.write(`${jsonText({ removed: records, failed: stay })}\n`);
  } else process.stdout.write(`${describeRemoved(records)}\n`);
  const [first] = failed;
  if (first === undefined) return ExitCode.done;
  const others = failed.length === 1 ? '' : `, and ${failed.length - 1} more`;
  throw new P2cError(`${first.error.message}${others}`, { code: 'strays.stay', cause: first.error.cause });
}
