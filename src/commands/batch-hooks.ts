/** The hooks of a batch and of its hosts, from its options to what a person is told of them. */
import type { HookEnd, Hooks } from '../fleet/hooks.ts';
import type { Run } from '../fleet/run.ts';
import { Webhook } from '../fleet/webhook.ts';
import { printable } from '../printable.ts';
import type { FleetPlan } from './fleet-options.ts';

export interface BatchHooks {
  readonly host: Hooks;
  readonly batch: Hooks;
}

interface Scene {
  readonly run: Run;
  readonly plan: Pick<FleetPlan, 'commands' | 'batchCommands' | 'webhook'>;
  /** Takes a line for a person. */
  readonly tell: (line: string) => void;
}

/** Waits at the end until the webhook has been told, and tells which hooks failed. */
export async function withHooks<Result>(
  { run, plan: { commands, batchCommands, webhook: url }, tell }: Scene,
  work: (hooks: BatchHooks) => Promise<Result>,
): Promise<Result> {
  const ends: HookEnd[] = [];
  run.listen((event) => {
    if (event.event === 'hook-ended') ends.push(event);
  });
  try {
    await using webhook = url === undefined ? undefined : new Webhook(url, (end) => run.note(end));
    return await work({ host: { commands, webhook }, batch: { commands: batchCommands, webhook } });
  } finally {
    for (const line of failuresOf(ends)) tell(`p2c: ${printable(line)}`);
  }
}

/** A line for each hook that failed. A `pre` that did is the failure of its host or of the batch, and told as that. */
function failuresOf(ends: readonly HookEnd[]): string[] {
  const lines: string[] = [];
  for (const name of ['post', 'fail', 'webhook'] as const) {
    const all = ends.filter(({ hook }) => hook === name);
    const failed = all.filter(({ exitCode }) => exitCode !== 0);
    const last = failed.at(-1);
    if (last === undefined) continue;
    const what = name === 'webhook' ? 'webhook' : `${name} command`;
    lines.push(`the ${what} failed ${failed.length} of ${all.length} times, the last time with: ${reasonOf(last)}`);
  }
  return lines;
}

function reasonOf({ hook, exitCode, said }: HookEnd): string {
  if (hook === 'webhook') return exitCode === null ? said : `${exitCode} ${said}`.trim();
  return exitCode === null ? 'it was killed or could not be run' : `exit code ${exitCode}`;
}
