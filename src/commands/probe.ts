/** `p2c __probe`: runs a container of p2c's own engine as root of a user namespace. Started by `p2c doctor`, not by people. */
import { ExitCode } from '../errors.ts';
import { answerProbe, PROBE_VERB } from '../runtime/rootless/probe-inside.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: PROBE_VERB,
  usage: '',
  summary: 'try the engine of p2c (internal)',
  examples: [],
  options: (parser) => parser,
  async run() {
    await answerProbe();
    return ExitCode.done;
  },
});
