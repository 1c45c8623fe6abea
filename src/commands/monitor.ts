/** `p2c __monitor`: the process that looks after a container in the background. Started by `p2c run -d`, not by people. */
import { ExitCode, usageError } from '../errors.ts';
import { MONITOR_VERB, monitorContainer } from '../runtime/monitor.ts';
import type { RunnableVerb } from './command.ts';

export const verb: RunnableVerb = {
  name: MONITOR_VERB,
  usage: 'ROOT ID',
  summary: 'look after a container (internal)',
  examples: [],
  wrapsCommand: false,
  help: async () => `p2c ${MONITOR_VERB} ROOT ID`,
  async call(_parser, [root, id]) {
    if (root === undefined || id === undefined) throw usageError('ROOT and ID are expected', { code: 'usage' });
    await monitorContainer(root, id);
    return ExitCode.done;
  },
};
