/** `p2c __monitor`: the process that looks after a container in the background. Started by `p2c run -d`, not by people. */
import { ExitCode } from '../errors.ts';
import { monitorContainer } from '../runtime/monitor.ts';
import { MONITOR_VERB } from '../runtime/monitor-process.ts';
import type { RunnableVerb } from './command.ts';

export const verb: RunnableVerb = {
  name: MONITOR_VERB,
  usage: '',
  summary: 'look after a container (internal)',
  examples: [],
  wrapsCommand: false,
  help: async () => `p2c ${MONITOR_VERB}, told on its standard input what to do`,
  async call() {
    await monitorContainer();
    return ExitCode.done;
  },
};
