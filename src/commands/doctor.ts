/** `p2c doctor`: what this machine can run, and what it lacks. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { describeDoctor } from '../report/doctor-page.ts';
import { doctorReport } from '../report/doctor-report.ts';
import { examineMachine } from '../runtime/machine/machine.ts';
import { defineVerb } from './command.ts';
import { terminalWidth } from './show.ts';

export const verb = defineVerb({
  name: 'doctor',
  usage: '[options]',
  summary: 'show what this machine can run, what is missing and how to install it',
  examples: [
    ['p2c doctor', 'look at this machine; exit code 1 where no container can run'],
    ['p2c doctor --json', 'the same, for a script'],
  ],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run({ json }, words) {
    if (words.length > 0) {
      throw usageError(`'${words[0]}' is not expected`, { code: 'usage', hint: "see 'p2c doctor --help'" });
    }
    const report = doctorReport(await examineMachine(storeRoot()));
    process.stdout.write(`${json ? JSON.stringify(report) : describeDoctor(report, terminalWidth())}\n`);
    return report.canRun ? ExitCode.done : ExitCode.failed;
  },
});
