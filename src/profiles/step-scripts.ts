/** The remote commands of a step: run while the lease is held, and ended where it takes too long. */
import { quote } from '../ssh/quote.ts';
import type { RemoteCommand } from '../ssh/session.ts';
import { LeaseExit, type LeasePlace, ours, prelude } from './lease-scripts.ts';
import { noteProcesses, processLine, takeProcesses } from './left.ts';
import { AT_WORK_FUNCTION, END_STEP_FUNCTIONS, runNoted, STOP_AT_WORK, startAtWork } from './step-at-work.ts';

export interface StepRun {
  readonly purpose: string;
  /** Command line of sh. */
  readonly line: string;
  readonly timeoutMs: number;
  /** Of the lease. */
  readonly token: string;
  /** Of the application. */
  readonly number: number;
  readonly kind: StopRun | StartRun;
}

interface StopRun {
  /** The application that the watchdog owes a start from now on. */
  readonly owe: string;
  /** Of its processes, which are noted. */
  readonly pids: readonly number[];
}

interface StartRun {
  /** All of it was seen down, so that no stop can take down what runs from now on. */
  readonly wasDown: boolean;
}

/**
 * Runs a step while the lease is held: once the watchdog acts, a start would be run on top of its own. The output goes to
 * a file and not to the channel, which a daemon that keeps its standard output would hold open for ever. The step's exit
 * code is on standard error as `p2c-code N`; the command itself ends with 0.
 *
 * What is owed is written before `expired` is looked at, and the watchdog does it the other way round: one sees the other.
 * It takes its token away first when it goes, so that a lock that is half removed is not taken for one that is held.
 */
export function stepCommand(place: LeasePlace, step: StepRun): RemoteCommand {
  const { kind, number } = step;
  const held = ours(step.token);
  const isStop = 'owe' in kind;
  const owe = isStop
    ? `${held}echo ${quote(kind.owe)} >"$lock/owed.${number}" || exit ${LeaseExit.notOurs}
`
    : '';
  const forget = !isStop && kind.wasDown ? `rm -f "$lock/before.${number}"\n` : '';
  return {
    purpose: step.purpose,
    script: `${isStop ? takeProcesses() : ''}${prelude(place)}${owe}if [ -e "$lock/expired" ]; then exit ${LeaseExit.expired}; fi
${held}output=/dev/null
if [ -d "$lock" ] && [ -O "$lock" ]; then output=$lock/step; fi
${isStop ? noteProcesses(number) : forget}${runNoted(step.line, isStop ? STOP_AT_WORK : startAtWork(number))}
if [ -f "$output" ]; then
  tail -c 4096 "$output"
  rm -f "$output"
fi
echo "p2c-code $code" >&2
`,
    ...(isStop ? { input: [processLine(kind.pids)] } : {}),
    timeoutMs: step.timeoutMs,
    changesSource: true,
  };
}

/** What a step has printed: {@link stepCommand} takes it away once the step has ended. */
const PRINTED = `if [ -O "$lock" ] && [ -f "$lock/step" ]; then tail -c 4096 "$lock/step"; fi
`;

/** On standard error where the start that gave no answer has not ended. */
export const AT_WORK = 'p2c-at-work';

/** Prints what a start that gave no answer has said until now. It is not ended: it may still come up. */
export function readStepCommand(place: LeasePlace, number: number): RemoteCommand {
  return {
    purpose: 'see what the step that gave no answer has printed',
    script: `${prelude(place)}${PRINTED}${AT_WORK_FUNCTION}if p2c_at_work ${startAtWork(number)}; then echo ${AT_WORK} >&2; fi
exit 0
`,
  };
}

/** Ends the stop step that is still at work, with all that it started: to be run where p2c gives a step up. Prints what it said. */
export function endStepCommand(place: LeasePlace, token: string): RemoteCommand {
  return {
    purpose: 'end the stop step that took too long',
    script: `${prelude(place)}${ours(token)}${PRINTED}${AT_WORK_FUNCTION}${END_STEP_FUNCTIONS}p2c_end_step >/dev/null
exit 0
`,
    changesSource: true,
    repeatable: true,
  };
}
