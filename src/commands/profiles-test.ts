/** `p2c profiles test`: tries profiles on a server before a capture depends on them. */
import { ExitCode, usageError } from '../errors.ts';
import { PROFILE_TEST_STAGES, type ProfileTest, testProfiles } from '../pipeline/profile-test.ts';
import { jsonText } from '../printable.ts';
import { selectProfiles } from '../profiles/select.ts';
import { describeStop, isHealthy } from '../report/stop-report.ts';
import { table } from '../report/table.ts';
import { formatDuration } from '../report/units.ts';
import { parseTarget } from '../ssh/target.ts';
import { defineVerb } from './command.ts';
import { requireConnection } from './connection-check.ts';
import { connectOptions, withConnectionOptions } from './connection-options.ts';
import { interruptible } from './interrupt.ts';
import { leaseOf } from './migrate-request.ts';
import { terminalWidth, withShow } from './show.ts';

export const verb = defineVerb({
  name: 'profiles test',
  usage: '[options] TARGET',
  summary: 'stop and start applications as a migration would, and check them; nothing is captured',
  examples: [
    ['p2c profiles test root@old.example', 'all that runs there and that a shipped profile knows'],
    ['p2c profiles test root@old.example --profile ./shop.yaml --profile mysql', 'these'],
  ],
  options: (parser) =>
    withConnectionOptions(parser)
      .option('profile', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        describe: "a shipped profile's name or a file (repeatable; default: those of what runs there)",
      })
      .option('lease', {
        type: 'string',
        default: '2m',
        requiresArg: true,
        describe: 'how long after p2c is gone the server starts its applications by itself',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run(options, words) {
    const [word] = words;
    if (word === undefined || words.length > 1) throw usageError('one TARGET is expected', { code: 'usage' });
    const target = parseTarget(word, { port: options.port });
    const request = { target, profiles: selectProfiles(options.profile ?? []), leaseMs: leaseOf(options.lease) };
    await requireConnection(options);
    const report = await interruptible((signal) =>
      withShow(options, PROFILE_TEST_STAGES, (show) =>
        testProfiles({ ...request, connect: connectOptions(options, signal) }, show, signal),
      ),
    );
    process.stdout.write(`${options.json ? jsonText(report) : describe(report)}\n`);
    return isHealthy(report) ? ExitCode.done : ExitCode.differences;
  },
});

function describe(report: ProfileTest): string {
  const rows = report.steps.map(({ purpose, code, milliseconds }) => [
    purpose,
    code === null ? '-' : String(code),
    formatDuration(milliseconds),
  ]);
  return [
    ...(rows.length === 0 ? [] : [table(rows, ['STEP', 'EXIT CODE', 'TOOK'], terminalWidth()), '']),
    ...describeStop(report, report.target),
    ...report.notes,
  ].join('\n');
}
