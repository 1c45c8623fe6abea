/** A step of a profile as a shell command: which program, as whom, in which environment. */
import { printable } from '../printable.ts';
import { quote } from '../ssh/quote.ts';
import type { StartStep, StopStep } from './schema.ts';
import { serviceScript } from './service.ts';

export type Action = 'start' | 'stop';
type Step = StartStep | StopStep;

/** `stop nginx: service nginx stop`: one line, for events, errors, the ledger and the watchdog's log. */
export function stepPurpose(profile: string, action: Action, step: Step): string {
  const what = step.service === undefined ? firstLine(step.run ?? '') : `service ${step.service[0]} ${action}`;
  return `${action} ${profile}: ${what}${step.user === undefined ? '' : ` (as ${step.user})`}`;
}

function firstLine(script: string): string {
  const lines = script.split('\n').filter((line) => line.trim() !== '');
  const first = printable((lines[0] ?? '').trim());
  return lines.length > 1 || first.length > 80 ? `${first.slice(0, 80)} …` : first;
}

/** What a person types at the server's root shell to do the step by hand. */
export function stepByHand(action: Action, step: Step): string {
  if (step.service !== undefined) return `service ${step.service[0]} ${action}`;
  return step.user === undefined ? (step.run ?? '').trim() : `su -s /bin/sh ${step.user} -c ${quote(step.run ?? '')}`;
}

/**
 * The command line for sh. The environment is what service(8) gives: an application that p2c starts must not inherit
 * p2c's locale or the variables of an SSH login.
 */
export function stepLine(action: Action, step: Step): string {
  const script = step.service === undefined ? (step.run ?? '') : serviceScript(step.service, action);
  const variables = Object.entries(step.env).map(([name, value]) => ` ${name}=${quote(value)}`);
  const environment = `env -i \${LANG:+"LANG=$LANG"} HOME=/root TERM=dumb PATH=${PATH}${variables.join('')}`;
  if (step.user === undefined || step.user === 'root') return `${environment} sh -c ${quote(script)}`;
  return `${environment} su -s /bin/sh ${quote(step.user)} -c ${quote(script)}`;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
